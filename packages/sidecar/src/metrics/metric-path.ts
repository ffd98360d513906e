/** Stores, and what is read or written in them: there is no end to the keys. */
const OF_STORES = new Set(['state', 'secrets']);
/** What follows it is one piece: the last that can say something has gone by then. */
const MOST_PARTS = 6;

/**
 * A path as the metrics show it, in Dapr's way: keys of stores are cut off and ids of actors and
 * workflows have one name, whatever the path begins with, so an application's own as well.
 */
export function metricPath(given: string): string {
  if (given === '') return '';
  const path = oneSlashEach(given[0] === '/' ? given : `/${given}`);
  // Looked at without taking it apart, as far as that goes: this is done at each request.
  const first = path.indexOf('/', 1);
  const second = first === -1 ? -1 : path.indexOf('/', first + 1);
  if (second === -1) return path;
  // Without the slash at the front, as daprd has them.
  if (path.startsWith('/actors/')) return partsOf(path).with(2, '{id}').join('/');
  const kind = path.slice(first + 1, second);
  if (OF_STORES.has(kind)) {
    const third = path.indexOf('/', second + 1);
    return third === -1 ? path : path.slice(0, third);
  }
  if (kind === 'actors') {
    const parts = partsOf(path);
    return parts.length < 5 ? path : `/${parts.with(3, '{id}').slice(0, 5).join('/')}`;
  }
  if (kind !== 'workflows') return path;
  const parts = partsOf(path);
  return parts.length < 4 ? path : workflowPath(parts);
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
function partsOf(path: string): readonly string[] {
  const parts = path.slice(1).split('/');
  if (parts.length <= MOST_PARTS) return parts;
  return [...parts.slice(0, MOST_PARTS - 1), parts.slice(MOST_PARTS - 1).join('/')];
}
