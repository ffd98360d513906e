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

const OF_COMPONENT = ['app_id', 'component', 'namespace'];

/** Registers the families; their names are there before the first component is. */
function register(metrics: Metrics) {
  const family = (name: string, help: string, ...labels: readonly string[]) => ({
    counts: metrics.counter(`dapr_component_${name}_count`, `Count of ${help}.`, [
      ...OF_COMPONENT,
      ...labels,
    ]),
    latencies: metrics.histogram(
      `dapr_component_${name}_latencies`,
      `Latency of ${help}, in milliseconds.`,
      [...OF_COMPONENT, ...labels],
      DAPR_LATENCY_BUCKETS_MS,
    ),
  });
  const byOperation = ['operation', 'success'];
  const byTopic = ['success', 'topic'];
  const byStatus = ['process_status', 'topic'];
  return {
    state: family('state', 'operations on state stores', ...byOperation),
    secret: family('secret', 'operations on secret stores', ...byOperation),
    configuration: family('configuration', 'operations on configuration stores', ...byOperation),
    output: family('output_binding', 'calls of output bindings', ...byOperation),
    input: family('input_binding', 'events of input bindings', 'success'),
    egress: family('pubsub_egress', 'publications to brokers', ...byTopic),
    ingress: family(
      'pubsub_ingress',
      'events handed to the application',
      ...['process_status', 'status', 'topic'],
    ),
    egressBulk: family('pubsub_egress_bulk', 'publications of many events to brokers', ...byTopic),
    ingressBulk: family(
      'pubsub_ingress_bulk',
      'deliveries of many events to the application',
      ...byStatus,
    ),
    bulkEvents: metrics.counter(
      'dapr_component_pubsub_ingress_bulk_event_count',
      'Count of events handed to the application together.',
      [...OF_COMPONENT, ...byStatus],
    ),
  };
}

type Registered = ReturnType<typeof register>['state'];

const pairOf = ({ counts, latencies }: Registered, labels: readonly string[]): Pair => ({
  count: counts.labels(...labels),
  latency: latencies.labels(...labels),
});

/** Counts what components are asked and what they bring. */
export function componentMetrics(
  metrics: Metrics,
  { appId, namespace = '', maxComponents = 200 }: ComponentMetricsOptions,
): ComponentMetrics {
  const families = register(metrics);
  metrics.alias(
    'dapr_component_operation_latencies',
    'Alias of dapr_component_state_latencies and dapr_component_pubsub_egress_latencies together.',
    [families.state.latencies, families.egress.latencies],
  );
  /** Of a family; `more`: the labels behind those of the component. */
  const series = <Outcome extends string | boolean>(
    family: Registered,
    more: (detail: string, outcome: string) => readonly string[],
  ) =>
    cacheOf<Outcome>(maxComponents, (component, detail, outcome) =>
      pairOf(family, [appId, component, namespace, ...more(detail, outcome)]),
    );
  const byOperation = (family: Registered) =>
    record(series<boolean>(family, (operation, success) => [operation, success]));
  const byTopic = (family: Registered) =>
    record(series<boolean>(family, (topic, success) => [success, topic]));
  const bound = record(series<boolean>(families.input, (_, success) => [success]));
  const deliveries = series<string>(families.ingress, (topic, outcome) => {
    const [processStatus = '', status = ''] = outcome.split(' ');
    return [processStatus, status, topic];
  });
  // Dapr leaves the status of a whole bulk empty.
  const bulkDelivered = record(series<''>(families.ingressBulk, (topic) => ['', topic]));
  return {
    binding: byOperation(families.output),
    bound: (component, success, latencyMs) => bound(component, '', success, latencyMs),
    state: byOperation(families.state),
    secret: byOperation(families.secret),
    configuration: byOperation(families.configuration),
    published: byTopic(families.egress),
    publishedBulk: byTopic(families.egressBulk),
    delivered(component, topic, processStatus, status, latencyMs) {
      const { count, latency } = deliveries(component, topic, `${processStatus} ${status}`);
      count.inc();
      if (latencyMs !== undefined) latency.observe(latencyMs);
    },
    deliveredBulk(component, topic, entries, latencyMs) {
      bulkDelivered(component, topic, '', latencyMs);
      for (const [status, count] of Object.entries(entries)) {
        if (count === 0) continue;
        families.bulkEvents
          .labels(appId, component, namespace, status.toUpperCase(), topic)
          .inc(count);
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
