import { parse } from 'yaml';
import type { ComponentSettings } from '../components/component-settings.ts';
import { isRecord } from '../resources/resource-files.ts';
import { type Middleware, PASS, readPath } from './middleware.ts';

interface Alias {
  readonly pattern: RegExp;
  /** Names of what the pattern's groups hold. */
  readonly names: readonly string[];
  readonly to: string;
}

/** `middleware.http.routeralias`: other names for paths; what a `{name}` holds becomes part of the query. */
export function routeAlias(settings: ComponentSettings): Middleware {
  const aliases = routesOf(settings).map(([from, to]) => aliasOf(from, to));
  return {
    judge(head) {
      const { path, query } = readPath(head.path);
      for (const { pattern, names, to } of aliases) {
        const match = pattern.exec(path);
        if (match === null) continue;
        if (names.length === 0) return { kind: 'pass', path: to + query };
        const items = new URLSearchParams(query);
        for (const [at, name] of names.entries()) items.append(name, match[at + 1] ?? '');
        items.sort();
        return { kind: 'pass', path: `${to}?${items}` };
      }
      return PASS;
    },
  };
}

/** All in `routes`, or, as older files have it, each as an item of the metadata. */
function routesOf(settings: ComponentSettings): readonly (readonly [string, string])[] {
  const given = settings.text('routes');
  const items = settings.entries();
  if (given === undefined || items.length > 1) return items;
  const how = 'metadata routes must be a map of paths in JSON or YAML';
  let routes: unknown;
  try {
    routes = parse(given);
  } catch (error) {
    throw new Error(`${how}: ${(error as Error).message.split('\n')[0]}`);
  }
  if (!isRecord(routes)) throw new Error(`${how}, say {"/hello": "/v1.0/invoke/app/method/hello"}`);
  return Object.entries(routes).map(([from, to]) => [from, String(to)]);
}

/** `/a/{id}/b`, `/a/{id:[0-9]+}`: a name stands for one segment, or for what its expression finds. */
function aliasOf(from: string, to: string): Alias {
  const place = `metadata routes: "${from}"`;
  if (!from.startsWith('/')) throw new Error(`${place} must be a path that begins with "/"`);
  if (!/^\/[^?#\s]*$/.test(to)) {
    throw new Error(`${place} must lead to a path without a query, not to "${to}"`);
  }
  const names: string[] = [];
  const source = from.replace(
    /\{([^{}:]+)(?::((?:[^{}]|\{[\d,]+\})+))?\}|[^{]+|\{/g,
    (text: string, name: string | undefined, expression: string | undefined) => {
      if (name === undefined) return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
      names.push(name);
      // Groups of its own would shift the names.
      return `(${(expression ?? '[^/]+').replace(/\((?!\?)/g, '(?:')})`;
    },
  );
  try {
    return { pattern: new RegExp(`^${source}$`), names, to };
  } catch (error) {
    throw new Error(`${place} is no pattern of a path: ${(error as Error).message}`);
  }
}
