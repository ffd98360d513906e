import { BoundedCache } from '../bounded-cache.ts';
import { DAPR_LATENCY_BUCKETS_MS } from '../metrics/buckets.ts';
import { OVERFLOW } from '../metrics/family.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Counter, Histogram } from '../metrics/series.ts';

export interface ComponentMetricsOptions {
  readonly appId: string;
  /** @default '' as Dapr's where the sidecar was given none */
  readonly namespace?: string;
  /** Components and topics told apart. @default 200 (1 …) */
  readonly maxComponents?: number;
}

/** Dapr's families of state stores and message brokers, and the alias that joins their latencies. */
export interface ComponentMetrics {
  /** `operation`: get, set, delete, bulk_get, bulk_delete, query or transaction. */
  state(component: string, operation: string, success: boolean, latencyMs: number): void;
  secret(component: string, operation: string, success: boolean, latencyMs: number): void;
  configuration(component: string, operation: string, success: boolean, latencyMs: number): void;
  published(component: string, topic: string, success: boolean, latencyMs: number): void;
  /** Events published together: one call of the broker. */
  publishedBulk(component: string, topic: string, success: boolean, latencyMs: number): void;
  /** An output binding was asked to do something. */
  binding(component: string, operation: string, success: boolean, latencyMs: number): void;
  /** An event of an input binding was handed to the application. */
  bound(component: string, success: boolean, latencyMs: number): void;
  /** What became of it, and what the application said: each success, retry or drop. An end without an attempt has no latency. */
  delivered(
    component: string,
    topic: string,
    processStatus: string,
    status: string,
    latencyMs: number | undefined,
  ): void;
  /** Events handed to the application together; `entries`: how many ended how, by Dapr's words in lower case. */
  deliveredBulk(
    component: string,
    topic: string,
    entries: Readonly<Record<string, number>>,
    latencyMs: number,
  ): void;
}

interface Pair {
  readonly count: Counter;
  readonly latency: Histogram;
}

/** Registers the families. */
export function componentMetrics(
  metrics: Metrics,
  { appId, namespace = '', maxComponents = 200 }: ComponentMetricsOptions,
): ComponentMetrics {
  const family = (name: string, help: string, labelNames: readonly string[]) => ({
    counts: metrics.counter(`dapr_component_${name}_count`, `Count of ${help}.`, labelNames),
    latencies: metrics.histogram(
      `dapr_component_${name}_latencies`,
      `Latency of ${help}, in milliseconds.`,
      labelNames,
      DAPR_LATENCY_BUCKETS_MS,
    ),
  });
  const byOperation = ['app_id', 'component', 'namespace', 'operation', 'success'];
  const state = family('state', 'operations on state stores', byOperation);
  const secret = family('secret', 'operations on secret stores', byOperation);
  const configuration = family('configuration', 'operations on configuration stores', byOperation);
  const output = family('output_binding', 'calls of output bindings', byOperation);
  const input = family('input_binding', 'events of input bindings', [
    'app_id',
    'component',
    'namespace',
    'success',
  ]);
  const egress = family('pubsub_egress', 'publications to brokers', [
    'app_id',
    'component',
    'namespace',
    'success',
    'topic',
  ]);
  const ingress = family('pubsub_ingress', 'events handed to the application', [
    'app_id',
    'component',
    'namespace',
    'process_status',
    'status',
    'topic',
  ]);
  const egressBulk = family('pubsub_egress_bulk', 'publications of many events to brokers', [
    'app_id',
    'component',
    'namespace',
    'success',
    'topic',
  ]);
  const byStatus = ['app_id', 'component', 'namespace', 'process_status', 'topic'];
  const ingressBulk = family(
    'pubsub_ingress_bulk',
    'deliveries of many events to the application',
    byStatus,
  );
  const bulkEvents = metrics.counter(
    'dapr_component_pubsub_ingress_bulk_event_count',
    'Count of events handed to the application together.',
    byStatus,
  );
  metrics.alias(
    'dapr_component_operation_latencies',
    'Alias of dapr_component_state_latencies and dapr_component_pubsub_egress_latencies together.',
    [state.latencies, egress.latencies],
  );

  const operations = ({ counts, latencies }: typeof state) =>
    cacheOf<boolean>(maxComponents, (component, operation, success) => {
      const labels = [appId, component, namespace, operation, success] as const;
      return { count: counts.labels(...labels), latency: latencies.labels(...labels) };
    });
  const publications = cacheOf<boolean>(maxComponents, (component, topic, success) => {
    const labels = [appId, component, namespace, success, topic] as const;
    return { count: egress.counts.labels(...labels), latency: egress.latencies.labels(...labels) };
  });
  const deliveries = cacheOf<string>(maxComponents, (component, topic, outcome) => {
    const [processStatus = '', status = ''] = outcome.split(' ');
    const labels = [appId, component, namespace, processStatus, status, topic] as const;
    return {
      count: ingress.counts.labels(...labels),
      latency: ingress.latencies.labels(...labels),
    };
  });
  const bulkPublications = cacheOf<boolean>(maxComponents, (component, topic, success) => {
    const labels = [appId, component, namespace, success, topic] as const;
    return {
      count: egressBulk.counts.labels(...labels),
      latency: egressBulk.latencies.labels(...labels),
    };
  });
  const bulkDeliveries = cacheOf<''>(maxComponents, (component, topic) => {
    // Dapr leaves the status of a whole bulk empty.
    const labels = [appId, component, namespace, '', topic] as const;
    return {
      count: ingressBulk.counts.labels(...labels),
      latency: ingressBulk.latencies.labels(...labels),
    };
  });
  const bulkDelivered = record(bulkDeliveries);
  const events = cacheOf<boolean>(maxComponents, (component, _detail, success) => {
    const labels = [appId, component, namespace, success] as const;
    return { count: input.counts.labels(...labels), latency: input.latencies.labels(...labels) };
  });
  const bound = record(events);
  return {
    binding: record(operations(output)),
    bound: (component, success, latencyMs) => bound(component, '', success, latencyMs),
    state: record(operations(state)),
    secret: record(operations(secret)),
    configuration: record(operations(configuration)),
    published: record(publications),
    publishedBulk: record(bulkPublications),
    delivered(component, topic, processStatus, status, latencyMs) {
      const { count, latency } = deliveries(component, topic, `${processStatus} ${status}`);
      count.inc();
      if (latencyMs !== undefined) latency.observe(latencyMs);
    },
    deliveredBulk(component, topic, entries, latencyMs) {
      bulkDelivered(component, topic, '', latencyMs);
      for (const [status, count] of Object.entries(entries)) {
        if (count === 0) continue;
        bulkEvents.labels(appId, component, namespace, status.toUpperCase(), topic).inc(count);
      }
    },
  };
}

type Lookup<Outcome> = (component: string, detail: string, outcome: Outcome) => Pair;

/** By component, then by operation or topic, then by how it ended. */
function cacheOf<Outcome extends string | boolean>(
  limit: number,
  make: (component: string, detail: string, outcome: string) => Pair,
): Lookup<Outcome> {
  const byComponent = new BoundedCache(
    limit,
    OVERFLOW,
    (component: string) =>
      new BoundedCache(limit, OVERFLOW, (detail: string) => {
        // Outcomes are few, and not the client's to choose.
        const outcomes = new Map<Outcome, Pair>();
        return (outcome: Outcome): Pair => {
          let pair = outcomes.get(outcome);
          if (pair === undefined) {
            pair = make(component, detail, `${outcome}`);
            outcomes.set(outcome, pair);
          }
          return pair;
        };
      }),
  );
  return (component, detail, outcome) => byComponent.get(component).get(detail)(outcome);
}

function record<Outcome>(lookup: Lookup<Outcome>) {
  return (component: string, detail: string, outcome: Outcome, latencyMs: number) => {
    const pair = lookup(component, detail, outcome);
    pair.count.inc();
    pair.latency.observe(latencyMs);
  };
}
