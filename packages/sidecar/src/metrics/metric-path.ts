/** Stores, and what is read or written in them: there is no end to the keys. */
const OF_STORES = new Set(['state', 'secrets']);
/** What the second part of a path says where more than slashes is to be changed. */
const SHORTENED = new Set([...OF_STORES, 'actors', 'workflows']);
/** What follows it is one piece: the last that can say something has gone by then. */
const MOST_PARTS = 6;

/**
 * A path as the metrics show it, in Dapr's way: keys of stores are cut off and ids of actors and
 * workflows have one name, whatever the path begins with, so an application's own as well.
 */
export function metricPath(given: string): string {
  if (given === '') return '';
  const path = oneSlashEach(given[0] === '/' ? given : `/${given}`);
  if (isAsItIs(path)) return path;
  const parts = splitAt('/', path.slice(1), MOST_PARTS);
  const [first, kind = ''] = parts;
  // Without the slash at the front, as daprd has them.
  if (first === 'actors') return parts.with(2, '{id}').join('/');
  if (OF_STORES.has(kind)) return `/${parts.slice(0, 3).join('/')}`;
  if (kind === 'actors' && parts.length >= 5) {
    return `/${parts.with(3, '{id}').slice(0, 5).join('/')}`;
  }
  return kind === 'workflows' && parts.length >= 4 ? workflowPath(parts) : path;
}

/** Whether nothing of it is cut or renamed, which is seen without taking it apart: most paths, at each request. */
function isAsItIs(path: string): boolean {
  const first = path.indexOf('/', 1);
  const second = first === -1 ? -1 : path.indexOf('/', first + 1);
  if (second === -1) return true;
  return !SHORTENED.has(path.slice(first + 1, second)) && !path.startsWith('/actors/');
}

/** `/v1.0/workflows/{component}/{instanceId}/pause`, and with the workflow's name to start one. */
function workflowPath(parts: readonly string[]): string {
  const [, , , , verb = '', event = ''] = parts;
  const start = parts.slice(0, 3).join('/');
  if (parts.length === 5 && verb.startsWith('start')) return `/${start}/${parts[3]}/start`;
  if (parts.length === 4) return `/${start}/{instanceId}`;
  const told = verb === 'raiseEvent' && event !== '' ? '/{eventName}' : '';
  return `/${start}/{instanceId}/${verb}${told}`;
}

/** The path with one slash wherever several follow each other. */
export function oneSlashEach(path: string): string {
  return path.includes('//') ? path.replace(/\/{2,}/g, '/') : path;
}

/** Up to so many parts, the last with all that remains. */
function splitAt(separator: string, text: string, most: number): readonly string[] {
  const parts = text.split(separator);
  if (parts.length <= most) return parts;
  return [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)];
}
