import type { Relabel } from '@holdfast/telemetry';
import { goRegExp } from '../resources/go-regexp.ts';
import type { LabelRule } from '../resources/metrics-settings.ts';

/**
 * The rules of `spec.metrics.rules` by metric and label. A name may come without `dapr_`, as in Dapr,
 * where it is the name that the metric is recorded under.
 */
export function relabelBy(rules: readonly LabelRule[]): Relabel {
  const known = new Map(
    rules.map(({ label, metric, rewrites }) => [
      keyOf(metric, label),
      rewrites.map(({ from, to }) => ({ match: goRegExp(from, 'g'), to })),
    ]),
  );
  return (metric, label) => {
    const rewrites = known.get(keyOf(metric, label));
    if (rewrites === undefined || rewrites.length === 0) return undefined;
    return (value) =>
      rewrites.reduce((text, { match, to }) => text.replaceAll(match, () => to), value);
  };
}

/** Dapr's own names have slashes and dots where those on the page have underscores. */
const keyOf = (metric: string, label: string): string =>
  `${metric.replace('dapr_', '').replaceAll(/[./]/g, '_')} ${label}`;
