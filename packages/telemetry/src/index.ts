export {
  type ComponentMetrics,
  type ComponentMetricsOptions,
  componentMetrics,
} from './dapr/component-metrics.ts';
export { type ErrorCodeMetrics, errorCodeMetrics } from './dapr/error-code-metrics.ts';
export { type GrpcClientMetrics, grpcClientMetrics } from './dapr/grpc-client-metrics.ts';
export {
  type GrpcServerMetrics,
  type GrpcServerMetricsOptions,
  grpcServerMetrics,
} from './dapr/grpc-server-metrics.ts';
export {
  type HttpServerMetrics,
  type HttpServerMetricsOptions,
  httpServerMetrics,
  type RouteMetrics,
} from './dapr/http-server-metrics.ts';
export { type MtlsMetrics, mtlsMetrics } from './dapr/mtls-metrics.ts';
export {
  type AppliedPolicies,
  type Flow,
  type ResiliencyMetrics,
  type ResiliencyMetricsOptions,
  resiliencyMetrics,
  type TargetMetrics,
} from './dapr/resiliency-metrics.ts';
export { type RuntimeMetrics, runtimeMetrics } from './dapr/runtime-metrics.ts';
export {
  type CalleeMetrics,
  type CallerMetrics,
  type InvocationType,
  type ServiceInvocationMetrics,
  type ServiceInvocationMetricsOptions,
  serviceInvocationMetrics,
} from './dapr/service-invocation-metrics.ts';
export {
  DAPR_LATENCY_BUCKETS_MS,
  DAPR_SIZE_BUCKETS_BYTES,
  SECONDS_BUCKETS,
} from './metrics/buckets.ts';
export { METRICS_CONTENT_TYPE } from './metrics/exposition.ts';
export type { Family, Relabel } from './metrics/family.ts';
export {
  createMetrics,
  METRICS_DEFAULTS,
  type Metrics,
  type MetricsOptions,
} from './metrics/metrics.ts';
export type { Counter, Gauge, Histogram } from './metrics/series.ts';
export { type PolicyMetricsOptions, policyMetrics } from './policy-metrics.ts';
export { processMetrics } from './process-metrics.ts';
