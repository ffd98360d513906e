import type { MetricsSettings } from '../resources/metrics-settings.ts';
import { metricPath } from './metric-path.ts';

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
    .sort((a, b) => literals(b) - literals(a))
    .map((pattern) => ({ pattern, matches: expression(pattern) }));
  const patternOf = (path: string): string | undefined =>
    rules.find(({ matches }) => matches.test(path))?.pattern;
  const shown = (given: string): string => {
    if (rules.length === 0) return byPath || OF_DAPR.has(given) ? metricPath(given) : '';
    // Only where there are patterns, as in Dapr.
    const path = oneSlashEach(given);
    if (OF_DAPR.has(path)) return path;
    const cut = metricPath(path);
    return patternOf(path) ?? (cut === path ? undefined : patternOf(cut)) ?? (byPath ? cut : '');
  };
  return (method, path) => [byVerb ? method : '', shown(path)];
}

const oneSlashEach = (path: string): string =>
  path.includes('//') ? path.replace(/\/{2,}/g, '/') : path;

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
