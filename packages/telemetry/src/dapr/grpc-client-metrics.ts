import { BoundedCache } from '../bounded-cache.ts';
import { DAPR_LATENCY_BUCKETS_MS, DAPR_SIZE_BUCKETS_BYTES } from '../metrics/buckets.ts';
import { OVERFLOW } from '../metrics/family.ts';
import type { Metrics } from '../metrics/metrics.ts';

/** Dapr's `dapr_grpc_io_client_*`: calls of an application's own gRPC callbacks that have ended. */
export interface GrpcClientMetrics {
  /** `method` as `/package.Service/Method`; `status` by Go's name; a failed call has received nothing. */
  done(
    method: string,
    status: string,
    latencyMs: number,
    bytes: { readonly sent: number; readonly received: number },
  ): void;
}

const METHOD_LABELS = ['app_id', 'grpc_client_method'];
const LABELS = [...METHOD_LABELS, 'grpc_client_status'];

/** Dapr has fewer callbacks than this. */
const MAX_METHODS = 50;
const MAX_STATUSES = 20;

/** Registers the families. */
export function grpcClientMetrics(
  metrics: Metrics,
  { appId }: { readonly appId: string },
): GrpcClientMetrics {
  const completed = metrics.counter(
    'dapr_grpc_io_client_completed_rpcs',
    'Count of gRPC calls of the application that have ended, by method and status.',
    LABELS,
  );
  const latency = metrics.histogram(
    'dapr_grpc_io_client_roundtrip_latency',
    'Time from the first byte of a gRPC call of the application to the last byte of its answer, in milliseconds.',
    LABELS,
    DAPR_LATENCY_BUCKETS_MS,
  );
  const sent = metrics.histogram(
    'dapr_grpc_io_client_sent_bytes_per_rpc',
    'Bytes of the request of a gRPC call of the application.',
    METHOD_LABELS,
    DAPR_SIZE_BUCKETS_BYTES,
  );
  const received = metrics.histogram(
    'dapr_grpc_io_client_received_bytes_per_rpc',
    'Bytes of the answer to a gRPC call of the application.',
    METHOD_LABELS,
    DAPR_SIZE_BUCKETS_BYTES,
  );
  const methods = new BoundedCache(MAX_METHODS, OVERFLOW, (method: string) => ({
    sent: sent.labels(appId, method),
    received: received.labels(appId, method),
    ended: new BoundedCache(MAX_STATUSES, OVERFLOW, (status: string) => ({
      completed: completed.labels(appId, method, status),
      latency: latency.labels(appId, method, status),
    })),
  }));
  return {
    done(method, status, latencyMs, bytes) {
      const series = methods.get(method);
      series.sent.observe(bytes.sent);
      series.received.observe(bytes.received);
      const ended = series.ended.get(status);
      ended.completed.inc();
      ended.latency.observe(latencyMs);
    },
  };
}
