import { BoundedCache } from '../bounded-cache.ts';
import { DAPR_LATENCY_BUCKETS_MS, DAPR_SIZE_BUCKETS_BYTES } from '../metrics/buckets.ts';
import { OVERFLOW } from '../metrics/family.ts';
import type { Metrics } from '../metrics/metrics.ts';

export interface GrpcServerMetricsOptions {
  readonly appId: string;
  /** Methods told apart; the rest share one named `overflow`. @default 200 (1 …) */
  readonly maxMethods?: number;
}

/** Dapr's `dapr_grpc_io_server_*`: the calls of the gRPC API that have ended. */
export interface GrpcServerMetrics {
  /**
   * `method` as `/package.Service/Method`; `status` by Go's name: `OK`, `NotFound`. As in Dapr,
   * only calls of the API itself with one message either way have `bytes`, and a failed one sends none.
   */
  done(
    method: string,
    status: string,
    latencyMs: number,
    bytes?: { readonly received: number; readonly sent: number },
  ): void;
}

const METHOD_LABELS = ['app_id', 'grpc_server_method'];
const LABELS = [...METHOD_LABELS, 'grpc_server_status'];

/** Registers the families. */
export function grpcServerMetrics(
  metrics: Metrics,
  { appId, maxMethods = 200 }: GrpcServerMetricsOptions,
): GrpcServerMetrics {
  const completed = metrics.counter(
    'dapr_grpc_io_server_completed_rpcs',
    'Count of gRPC calls that have ended, by method and status.',
    LABELS,
  );
  const latency = metrics.histogram(
    'dapr_grpc_io_server_server_latency',
    'Time from the first byte of a gRPC call to the last byte of its answer, in milliseconds.',
    LABELS,
    DAPR_LATENCY_BUCKETS_MS,
  );
  const received = metrics.histogram(
    'dapr_grpc_io_server_received_bytes_per_rpc',
    'Bytes of the request of a gRPC call.',
    METHOD_LABELS,
    DAPR_SIZE_BUCKETS_BYTES,
  );
  const sent = metrics.histogram(
    'dapr_grpc_io_server_sent_bytes_per_rpc',
    'Bytes of the answer to a gRPC call.',
    METHOD_LABELS,
    DAPR_SIZE_BUCKETS_BYTES,
  );
  const sizes = new BoundedCache(maxMethods, OVERFLOW, (method: string) => ({
    received: received.labels(appId, method),
    sent: sent.labels(appId, method),
  }));
  const methods = new BoundedCache(
    maxMethods,
    OVERFLOW,
    (method: string) =>
      new BoundedCache(20, OVERFLOW, (status: string) => ({
        completed: completed.labels(appId, method, status),
        latency: latency.labels(appId, method, status),
      })),
  );
  return {
    done(method, status, latencyMs, bytes) {
      const series = methods.get(method).get(status);
      series.completed.inc();
      series.latency.observe(latencyMs);
      if (bytes === undefined) return;
      const { received: into, sent: out } = sizes.get(method);
      into.observe(bytes.received);
      out.observe(bytes.sent);
    },
  };
}
