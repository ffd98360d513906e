/** The media type of what `Metrics.render` returns. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Longer label values are cut: some come from a request's path, and a scrape repeats them for ever. */
const LONGEST_LABEL = 200;

/** `name="value",…` in alphabetical order of names; empty values as well, as Dapr writes them. */
export function labelText(names: readonly string[], values: readonly string[]): string {
  return names
    .map((name, i) => [name, values[i] ?? ''] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}="${escapeLabel(shorten(value))}"`)
    .join(',');
}

/** A number as Prometheus reads it. */
function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

/** The two lines that come before a family's samples. */
export function familyHeader(name: string, help: string, kind: string): string {
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n`;
}

/** One sample; `labels` as `labelText` made them. */
export function sampleLine(name: string, labels: string, value: number): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${numberText(value)}\n`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function escapeHelp(help: string): string {
  return help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function shorten(value: string): string {
  return value.length > LONGEST_LABEL ? `${value.slice(0, LONGEST_LABEL - 1)}…` : value;
}
