import { BoundedCache } from '../bounded-cache.ts';
import { DAPR_LATENCY_BUCKETS_MS } from '../metrics/buckets.ts';
import { OVERFLOW } from '../metrics/family.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { Callee, Caller, type InvocationFamilies } from './peer-series.ts';

export interface ServiceInvocationMetricsOptions {
  readonly appId: string;
  /** Other applications told apart; the rest share one named `overflow`. @default 200 (1 …) */
  readonly maxPeers?: number;
  /** @default Dapr's */
  readonly latencyBucketsMs?: readonly number[];
}

export type InvocationType = 'unary' | 'streaming';

/**
 * Dapr's `dapr_runtime_service_invocation_*` families. The caller's side calls
 * `requestSent` and `responseReceived`, the callee's the other two.
 */
export interface ServiceInvocationMetrics {
  /** Series of the app called, to be kept with it: then a request looks nothing up. */
  callee(appId: string): CalleeMetrics;
  /** Series of the app that calls. */
  caller(appId: string): CallerMetrics;

  requestSent(dstAppId: string, type: InvocationType): void;
  responseReceived(srcAppId: string, status: number, type: InvocationType, latencyMs: number): void;
  requestReceived(srcAppId: string): void;
  responseSent(dstAppId: string, status: number): void;
}

/** What the caller's side counts about one callee. */
export interface CalleeMetrics {
  requestSent(type: InvocationType): void;
  /** `status`: HTTP status, or gRPC code where the sidecar itself failed. */
  responseReceived(status: number, type: InvocationType, latencyMs: number): void;
}

/** What the callee's side counts about one caller. */
export interface CallerMetrics {
  requestReceived(): void;
  responseSent(status: number): void;
}

/** Registers the families and the two aliases of them that Dapr courses teach. */
export function serviceInvocationMetrics(
  metrics: Metrics,
  options: ServiceInvocationMetricsOptions,
): ServiceInvocationMetrics {
  const { appId, maxPeers = 200 } = options;
  const families = register(metrics, options.latencyBucketsMs ?? DAPR_LATENCY_BUCKETS_MS);
  const callees = new BoundedCache(
    maxPeers,
    OVERFLOW,
    (id: string) => new Callee(families, appId, id),
  );
  const callers = new BoundedCache(
    maxPeers,
    OVERFLOW,
    (id: string) => new Caller(families, appId, id),
  );

  return {
    callee: (id) => callees.get(id),
    caller: (id) => callers.get(id),
    requestSent: (id, type) => callees.get(id).requestSent(type),
    responseReceived: (id, status, type, latencyMs) =>
      callees.get(id).responseReceived(status, type, latencyMs),
    requestReceived: (id) => callers.get(id).requestReceived(),
    responseSent: (id, status) => callers.get(id).responseSent(status),
  };
}

const PREFIX = 'dapr_runtime_service_invocation';

function register(metrics: Metrics, bucketsMs: readonly number[]): InvocationFamilies {
  const families = {
    requestsSent: metrics.counter(
      `${PREFIX}_req_sent_total`,
      'The number of requests sent via service invocation.',
      ['app_id', 'dst_app_id', 'type'],
    ),
    requestsReceived: metrics.counter(
      `${PREFIX}_req_recv_total`,
      'The number of requests received via service invocation.',
      ['app_id', 'src_app_id'],
    ),
    responsesSent: metrics.counter(
      `${PREFIX}_res_sent_total`,
      'The number of responses sent via service invocation.',
      ['app_id', 'dst_app_id', 'status'],
    ),
    responsesReceived: metrics.counter(
      `${PREFIX}_res_recv_total`,
      'The number of responses received via service invocation.',
      ['app_id', 'src_app_id', 'status', 'type'],
    ),
    latency: metrics.histogram(
      `${PREFIX}_res_recv_latency_ms`,
      'The latency of service invocation response, in milliseconds.',
      ['app_id', 'src_app_id', 'status'],
      bucketsMs,
    ),
  };
  metrics.alias(`${PREFIX}_req_count`, `Alias of ${PREFIX}_req_sent_total.`, [
    families.requestsSent,
  ]);
  metrics.alias(`${PREFIX}_req_latency`, `Alias of ${PREFIX}_res_recv_latency_ms.`, [
    families.latency,
  ]);
  return families;
}
