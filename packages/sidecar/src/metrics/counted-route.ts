import type { MetricsSettings } from '../resources/metrics-settings.ts';
import { metricPath, oneSlashEach } from './metric-path.ts';

/** Verb and path as the metrics of HTTP have them. */
export type CountedRoute = (
  method: string,
  path: string,
) => readonly [method: string, path: string];

/** Shown although paths are not: there are no more of them. */
const OF_DAPR = new Set(['/dapr/config', '/dapr/metrics', '/dapr/subscribe', '/healthz']);

export function countedRoute({
  byPath,
  byVerb,
  pathPatterns,
}: Pick<MetricsSettings, 'byPath' | 'byVerb' | 'pathPatterns'>): CountedRoute {
  const wanted = new Set(pathPatterns.map((pattern) => oneSlashEach(`/${pattern}`)));
  // An application's path is told apart in invocations as well, as in Dapr.
  for (const pattern of [...wanted]) wanted.add(`/v1.0/invoke/{app_id}/method${pattern}`);
  // As Go's ServeMux, whose patterns these are: the more is written out, the sooner it counts.
  const rules = [...wanted]
    .sort((a, b) => literals(b) - literals(a) || Number(isOpen(a)) - Number(isOpen(b)))
    .map((pattern) => ({ pattern, matches: expression(pattern) }));
  const fitting = (path: string): string | undefined =>
    rules.find(({ matches }) => matches.test(path))?.pattern;
  const patternOf = (path: string): string | undefined => {
    const found = fitting(path);
    if (path.endsWith('/') || (found !== undefined && !isOpen(found))) return found;
    // ServeMux would send the client on to the folder of that name, before whatever else is left open.
    const folder = fitting(`${path}/`);
    return folder !== undefined && slashes(folder) === slashes(`${path}/`) ? folder : found;
  };
  const shown = (given: string): string => {
    if (rules.length === 0) return byPath || OF_DAPR.has(given) ? metricPath(given) : '';
    const path = oneSlashEach(given);
    if (OF_DAPR.has(path)) return path;
    const pattern = patternOf(path);
    // With paths a pattern without a name in it says nothing new, and the key of a store is cut off all the same.
    if (pattern !== undefined && !(byPath && pattern === path)) return pattern;
    const cut = metricPath(path);
    return (cut === path ? undefined : patternOf(cut)) ?? (byPath ? cut : '');
  };
  return (method, path) => [byVerb ? method : '', shown(path)];
}

/** Whether a pattern is for all that begins so. */
const isOpen = (pattern: string): boolean => pattern.endsWith('/') || pattern.endsWith('...}');

const slashes = (path: string): number => path.split('/').length;

const WILDCARD = /\{[^}]*\}/g;

const literals = (pattern: string): number => pattern.replace(WILDCARD, '').length;

/** `{id}` is one segment, `{rest...}` what remains, `{$}` nothing more, and a slash at the end whatever follows. */
function expression(pattern: string): RegExp {
  const source = pattern.replace(
    /\{([^}]*)\}|[.*+?^${}()|[\]\\]/g,
    (text, name: string | undefined) => {
      if (name === undefined) return `\\${text}`;
      if (name === '$') return '';
      return name.endsWith('...') ? '.*' : '[^/]+';
    },
  );
  return new RegExp(`^${source}${pattern.endsWith('/') ? '.*' : ''}$`);
}
