import type { Api } from './api-rules.ts';

const PATH = /^\/(v1\.0(?:-(?:alpha|beta)\d+)?)\/(publish\/bulk|[a-z]+)(?:\/|$)/;

/** The APIs there are, and so what a path may be of; anything else is an invocation. */
const GROUPS = new Set([
  'actors',
  'bindings',
  'configuration',
  'conversation',
  'crypto',
  'healthz',
  'invoke',
  'jobs',
  'lock',
  'metadata',
  'publish',
  'secrets',
  'shutdown',
  'state',
  'subtlecrypto',
  'unlock',
  'workflows',
]);

/** Every path that is of no other API: its target is in a header, if anywhere. */
export const INVOKE: Api = { group: 'invoke', version: 'v1.0', route: 'invoke/' };

/** The API that a path of HTTP belongs to. */
export function apiOfPath(path: string): Api {
  const match = PATH.exec(path);
  if (match === null) return INVOKE;
  const [, version = '', words = ''] = match;
  const [group = ''] = words.split('/');
  return GROUPS.has(group) ? { group, version, route: `${words}/` } : INVOKE;
}
