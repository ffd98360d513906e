import { checkInteger } from '@holdfast/core';
import { Buckets, checkBuckets, DAPR_LATENCY_BUCKETS_MS } from './buckets.ts';
import { familyHeader } from './exposition.ts';
import {
  checkNames,
  type Family,
  type FamilyOptions,
  type Relabel,
  SeriesFamily,
} from './family.ts';
import {
  type Counter,
  CounterSeries,
  type Gauge,
  GaugeSeries,
  type Histogram,
  HistogramSeries,
  type Series,
} from './series.ts';

export interface MetricsOptions {
  /**
   * Series per family; the next one is answered with a series whose labels say
   * `overflow`. Keeps a caller who makes up paths from filling the memory.
   *
   * @default 1_000 (1 … 100_000)
   */
  readonly maxSeries?: number;
  /** In place of Dapr's, in every histogram that asks for those. Rising, in milliseconds. @default Dapr's */
  readonly latencyBucketsMs?: readonly number[];
  /** Rewrites label values, so that many count as one. @default they stay as they are */
  readonly relabel?: Relabel;
}

export const METRICS_DEFAULTS: Required<MetricsOptions> = {
  maxSeries: 1_000,
  latencyBucketsMs: DAPR_LATENCY_BUCKETS_MS,
  relabel: () => undefined,
};

/**
 * All metrics of a process. Asking twice for the same family returns the same
 * one; asking for it with another kind or other labels throws a `RangeError`.
 */
export interface Metrics {
  /** As it was given: for who keeps series by values that it changes. */
  readonly relabel: Relabel;
  counter(name: string, help: string, labelNames?: readonly string[]): Family<Counter>;
  gauge(name: string, help: string, labelNames?: readonly string[]): Family<Gauge>;
  /** `buckets` are upper bounds that rise; +Inf is added by itself. */
  histogram(
    name: string,
    help: string,
    labelNames: readonly string[],
    buckets: readonly number[],
  ): Family<Histogram>;

  /** Shows the samples of `families`, all of one kind, under one more name. Costs nothing until a scrape. */
  alias(name: string, help: string, families: readonly Family<unknown>[]): void;

  /** Calls `collect` before each scrape: the place to set gauges that are read from elsewhere. */
  collect(collect: () => void): void;

  /** Prometheus' text format 0.0.4; a scrape's worth of work, done only here. */
  render(): string;
}

/** An empty set of metrics. */
export function createMetrics(given: MetricsOptions = {}): Metrics {
  const { latencyBucketsMs, maxSeries, relabel } = resolveMetricsOptions(given);
  const families = new Map<string, SeriesFamily<Series>>();
  const aliases = new Map<string, () => string>();
  const collectors: (() => void)[] = [];

  function register<Child extends Series>(
    options: Omit<FamilyOptions<Child>, 'maxSeries' | 'onOverflow' | 'relabel'>,
  ): SeriesFamily<Child> {
    const known = families.get(options.name);
    if (known !== undefined) {
      checkSame(known, options.kind, options.labelNames);
      return known as SeriesFamily<Child>;
    }
    const family = new SeriesFamily<Child>({
      ...options,
      maxSeries,
      relabel,
      onOverflow: () => overflows.labels(options.name).inc(),
    });
    families.set(options.name, family);
    return family;
  }

  const counter = (name: string, help: string, labelNames: readonly string[] = []) =>
    register({ name, help, kind: 'counter', labelNames, create: (l) => new CounterSeries(l) });

  const overflows = counter(
    'holdfast_metrics_overflows_total',
    'Requests for a series that its family had no room for, by metric.',
    ['metric'],
  );

  return {
    relabel,
    counter,
    gauge: (name, help, labelNames = []) =>
      register({ name, help, kind: 'gauge', labelNames, create: (l) => new GaugeSeries(l) }),
    histogram(name, help, labelNames, asked) {
      const buckets = asked === DAPR_LATENCY_BUCKETS_MS ? latencyBucketsMs : asked;
      checkBuckets(name, buckets);
      const bounds = new Buckets(buckets);
      const create = (labels: string) => new HistogramSeries(labels, bounds);
      return register({ name, help, kind: 'histogram', labelNames, create });
    },
    alias(name, help, aliased) {
      const sources = aliased.map((family) => families.get(family.name)!);
      checkAlias(name, sources);
      aliases.set(name, () => {
        const header = familyHeader(name, help, sources[0]!.kind);
        return header + sources.map((source) => source.samples(name)).join('');
      });
    },
    collect: (collect) => void collectors.push(collect),
    render() {
      for (const collect of collectors) collect();
      let text = '';
      for (const family of families.values()) text += family.render();
      for (const render of aliases.values()) text += render();
      return text;
    },
  };
}

function resolveMetricsOptions(given: MetricsOptions): Required<MetricsOptions> {
  const options = { ...METRICS_DEFAULTS, ...given };
  checkInteger('metrics.maxSeries', options.maxSeries, 1, 100_000);
  checkBuckets('metrics.latencyBucketsMs', options.latencyBucketsMs);
  return options;
}

function checkAlias(name: string, sources: readonly SeriesFamily<Series>[]): void {
  checkNames(name, []);
  const kinds = new Set(sources.map((source) => source.kind));
  if (kinds.size === 1) return;
  throw new RangeError(`The alias ${name} needs families of one kind, not [${[...kinds]}].`);
}

function checkSame(known: SeriesFamily<Series>, kind: string, labelNames: readonly string[]): void {
  if (known.kind === kind && known.labelNames.join() === labelNames.join()) return;
  throw new RangeError(
    `${known.name} is already a ${known.kind} with labels (${known.labelNames}), and cannot be a ${kind} with (${labelNames}) as well.`,
  );
}
