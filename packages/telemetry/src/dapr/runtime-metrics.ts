import { BoundedCache } from '../bounded-cache.ts';
import { DAPR_LATENCY_BUCKETS_MS } from '../metrics/buckets.ts';
import { OVERFLOW } from '../metrics/family.ts';
import type { Metrics } from '../metrics/metrics.ts';

/** What a sidecar has at its start, and how its application is. */
export interface RuntimeMetrics {
  /** A component is up; `type`: `state.redis`. */
  componentUp(type: string): void;
  /** A component is not: its type is not here (`creation`), or it could not begin (`init`). */
  componentFailed(type: string, name: string, reason: 'creation' | 'init'): void;
  /** A probe of the application's health over HTTP has ended; 500 where there was no answer. */
  probed(status: number, latencyMs: number): void;
  /** One over gRPC has; `status` by Go's name: `OK`, `Unimplemented`. */
  probedRpc(status: string, latencyMs: number): void;
}

/** More types than there are. */
const MAX_TYPES = 200;
const MAX_STATUSES = 64;

/** Dapr's `dapr_runtime_component_{loaded,init_total}` and `dapr_{http,grpc_io}_healthprobes_*`; they appear with their first count. */
export function runtimeMetrics(
  metrics: Metrics,
  { appId }: { readonly appId: string },
): RuntimeMetrics {
  const loaded = () =>
    metrics.counter(
      'dapr_runtime_component_loaded',
      'The number of successfully loaded components.',
      ['app_id'],
    );
  const inits = new BoundedCache(MAX_TYPES, OVERFLOW, (type: string) =>
    metrics
      .counter('dapr_runtime_component_init_total', 'The number of initialized components.', [
        'app_id',
        'component',
      ])
      .labels(appId, type),
  );
  const probes = probesOf(metrics, appId, 'dapr_http_healthprobes', 'status');
  const rpcProbes = probesOf(metrics, appId, 'dapr_grpc_io_healthprobes', 'grpc_client_status');
  return {
    componentUp(type) {
      loaded().labels(appId).inc();
      inits.get(type).inc();
    },
    componentFailed(type, name, reason) {
      metrics
        .counter(
          'dapr_runtime_component_init_fail_total',
          'The number of component initialization failures.',
          ['app_id', 'component', 'componentName', 'reason'],
        )
        .labels(appId, type, name, reason)
        .inc();
    },
    probed: (status, latencyMs) => probes(String(status), latencyMs),
    probedRpc: rpcProbes,
  };
}

/** Counts probes of an application by their status, the label's name of which is its protocol's. */
function probesOf(metrics: Metrics, appId: string, prefix: string, statusLabel: string) {
  const labels = ['app_id', statusLabel];
  const series = new BoundedCache(MAX_STATUSES, OVERFLOW, (status: string) => ({
    count: metrics
      .counter(`${prefix}_completed_count`, 'Count of completed health probes.', labels)
      .labels(appId, status),
    latency: metrics
      .histogram(
        `${prefix}_roundtrip_latency`,
        'Time from the first byte of a health probe to the head of its answer, in milliseconds.',
        labels,
        DAPR_LATENCY_BUCKETS_MS,
      )
      .labels(appId, status),
  }));
  return (status: string, latencyMs: number): void => {
    const { count, latency } = series.get(status);
    count.inc();
    latency.observe(latencyMs);
  };
}
