import { sameVersion } from '../components/component-version.ts';
import { ConfigurationError } from '../resources/configuration-error.ts';
import type { Place } from '../resources/place.ts';
import { at, isRecord } from '../resources/resource-files.ts';
import type { Middleware } from './middleware.ts';

/** A handler as the Configuration names it, and where. */
export interface HandlerSpec {
  /** `config.yaml:3:5: spec.httpPipeline.handlers[0]` */
  readonly place: string;
  readonly name: string;
  readonly type: string;
  readonly version: string;
}

/** A middleware component that is up. */
export interface OpenMiddleware {
  readonly type: string;
  readonly version: string;
  readonly middleware: Middleware;
}

/** Reads `spec.httpPipeline` or `spec.appHttpPipeline`; undefined where there is none. */
export function readHandlers(given: unknown, place: Place): readonly HandlerSpec[] | undefined {
  const handlers = at(given, 'handlers');
  if (handlers === undefined || handlers === null) return undefined;
  const shape = 'must be a list of { name, type }.';
  if (!Array.isArray(handlers)) throw new ConfigurationError(place.at('handlers'), shape);
  return handlers.map((item, index) => {
    const where = place.at('handlers', index);
    if (!isRecord(item)) throw new ConfigurationError(where, 'must be a map with name and type.');
    const { name, type, version } = item;
    return {
      place: String(where),
      name: String(name ?? ''),
      type: String(type ?? '').toLowerCase(),
      version: String(version || 'v1'),
    };
  });
}

/**
 * The middleware that handlers name, in their order. One that is not there is
 * skipped, as by daprd; since what it should have kept out now comes in, that
 * is told.
 */
export function openPipeline(
  handlers: readonly HandlerSpec[],
  components: ReadonlyMap<string, OpenMiddleware>,
  warn: (message: string) => void,
): readonly Middleware[] {
  return handlers.flatMap(({ place, name, type, version }) => {
    const found = components.get(name);
    if (found?.type.toLowerCase() === type && sameVersion(found.version, version)) {
      return [found.middleware];
    }
    const why =
      found === undefined
        ? `there is no component "${name}"`
        : `the component "${name}" is of type ${found.type}/${found.version}`;
    warn(
      `${place}: the handler "${name}" (${type}/${version}) is skipped, so requests pass without it: ${why}; add the component, or correct name and type.`,
    );
    return [];
  });
}
