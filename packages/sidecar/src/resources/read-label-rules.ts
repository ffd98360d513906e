import { goRegExp } from './go-regexp.ts';
import type { LabelRule } from './metrics-settings.ts';
import type { Place } from './place.ts';
import { at, isRecord } from './resource-files.ts';

/**
 * Reads `spec.metrics.rules`; undefined where there is none. A rule that cannot be is left out and
 * `warn` told of it: daprd starts with one too, and then counts some metrics no longer.
 */
export function readLabelRules(
  given: unknown,
  place: Place,
  warn: (message: string) => void,
): readonly LabelRule[] | undefined {
  if (given === undefined || given === null) return undefined;
  const listed = entries(given, place, warn);
  return listed.flatMap(([rule, where]) => {
    const metric = at(rule, 'name');
    if (typeof metric !== 'string' || metric === '') {
      warn(`${where.at('name')} must be the name of a metric; the rule is left out.`);
      return [];
    }
    return entries(at(rule, 'labels'), where.at('labels'), warn).flatMap(([label, there]) => {
      const name = at(label, 'name');
      const regex = at(label, 'regex');
      if (typeof name !== 'string' || !isRecord(regex)) {
        warn(`${there} must have a name and a regex of "what to write: expression"; left out.`);
        return [];
      }
      const rewrites = Object.entries(regex).flatMap(([to, from]) =>
        rewriteOf(to, from, there.at('regex', to), warn),
      );
      return [{ metric, label: name, rewrites }];
    });
  });
}

function rewriteOf(
  to: string,
  from: unknown,
  place: Place,
  warn: (message: string) => void,
): LabelRule['rewrites'] {
  try {
    goRegExp(String(from));
    return [{ from: String(from), to }];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    warn(`${place} must be a regular expression as Go reads it; it is left out: ${why}`);
    return [];
  }
}

function entries(
  given: unknown,
  place: Place,
  warn: (message: string) => void,
): readonly (readonly [unknown, Place])[] {
  if (Array.isArray(given)) return given.map((one, index) => [one, place.at(index)] as const);
  warn(`${place} must be a list; it is left out.`);
  return [];
}
