import type { MetricsSettings } from '../resources/metrics-settings.ts';

/** Verb and path as the metrics of HTTP have them. */
export type CountedRoute = (
  method: string,
  path: string,
) => readonly [method: string, path: string];

/** Shown although paths are not: there are no more of them. */
const OF_DAPR = new Set(['/dapr/config', '/dapr/metrics', '/dapr/subscribe', '/healthz']);

/** Undefined where verb and path are counted as they are. */
export function countedRoute({
  byPath,
  byVerb,
  pathPatterns,
}: Pick<MetricsSettings, 'byPath' | 'byVerb' | 'pathPatterns'>): CountedRoute | undefined {
  if (byPath && byVerb && pathPatterns.length === 0) return undefined;
  const wanted = new Set(pathPatterns.map((pattern) => `/${pattern.replace(/^\/+/, '')}`));
  // An application's path is told apart in invocations as well, as in Dapr.
  for (const pattern of [...wanted]) wanted.add(`/v1.0/invoke/{app_id}/method${pattern}`);
  // As Go's ServeMux, whose patterns these are: the more is written out, the sooner it counts.
  const rules = [...wanted]
    .sort((a, b) => literals(b) - literals(a))
    .map((pattern) => ({ pattern, matches: expression(pattern) }));
  const shown = (path: string): string => {
    const rule = rules.find(({ matches }) => matches.test(path));
    return rule?.pattern ?? (byPath || OF_DAPR.has(path) ? path : '');
  };
  return (method, path) => [byVerb ? method : '', shown(path)];
}

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
