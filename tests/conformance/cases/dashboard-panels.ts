import type { Make } from '../makes/both-makes.ts';

/** A panel of Dapr's own dashboard of sidecars, and what it asks Prometheus. */
export interface Panel {
  readonly title: string;
  readonly query: string;
  /** Whose alone it shows something of, and why. */
  readonly only?: { readonly make: Make; readonly why: string };
}

const OF_APP = 'app_id=~"$dapr_app_id", namespace="$namespace"';
const OF_SERVICE = 'service=~"($dapr_app_id)-dapr", namespace="$namespace"';
const GO = {
  make: 'daprd',
  why: 'ours is no program in Go: `nodejs_…` tells of its runtime',
} as const;

const latency = (title: string, family: string, labels: string, more = ''): Panel => ({
  title,
  query: `histogram_quantile(0.95, sum(rate(${family}_bucket{app_id=~"$dapr_app_id", ${more}namespace="$namespace"}[5m])) by (le, app_id, ${labels}))`,
});

/**
 * `grafana/grafana-sidecar-dashboard.json` of Dapr 1.18, without what asks the cluster about its
 * containers, and without the actors, which are not here.
 */
export const PANELS: readonly Panel[] = [
  {
    title: 'Sidecar uptime',
    query: `time() - max(process_start_time_seconds{${OF_SERVICE}}) by (service)`,
  },
  {
    title: 'Number of GO routines',
    query: `sum(go_goroutines{service=~"($dapr_app_id)-dapr.*", namespace="$namespace"}) by (service)`,
    only: GO,
  },
  {
    title: 'Heap memory usage in bytes',
    query: `sum(go_memstats_alloc_bytes{${OF_SERVICE}}) by (service)`,
    only: GO,
  },
  {
    title: 'Managed virtual memory in bytes',
    query: `sum(process_virtual_memory_bytes{${OF_SERVICE}}) by (service)`,
  },
  latency('HTTP: outbound request latency', 'dapr_http_server_latency', 'method, path'),
  {
    title: 'HTTP: outbound request rate',
    query: `sum by (app_id, method, path) (rate(dapr_http_server_response_count{${OF_APP}}[5m]))`,
  },
  latency('HTTP: inbound request latency', 'dapr_http_client_roundtrip_latency', 'method, path'),
  {
    title: 'HTTP: inbound request rate',
    query: `sum by (app_id, method, path) (rate(dapr_http_client_completed_count{${OF_APP}}[5m]))`,
  },
  latency(
    'gRPC: outbound request latency',
    'dapr_grpc_io_server_server_latency',
    'grpc_server_method',
    'grpc_server_method=~".*.Dapr/.*", ',
  ),
  {
    title: 'gRPC: outbound request rate',
    query:
      'sum by (app_id, grpc_server_method, grpc_server_status) (rate(dapr_grpc_io_server_completed_rpcs{app_id=~"$dapr_app_id", grpc_server_method=~".*.Dapr/.*"}[5m]))',
  },
  latency(
    'gRPC: inbound request latency',
    'dapr_grpc_io_client_roundtrip_latency',
    'grpc_client_method',
    'grpc_client_method=~".*.AppCallback/.*", ',
  ),
  {
    title: 'gRPC: inbound request rate',
    query: `sum by (app_id, grpc_client_method, grpc_client_status) (rate(dapr_grpc_io_client_completed_rpcs{app_id=~"$dapr_app_id", grpc_client_method=~".*.AppCallback/.*", namespace="$namespace"}[5m]))`,
  },
  {
    title: 'Loaded component configurations',
    query: `sum(dapr_runtime_component_loaded{${OF_APP}}) by (app_id)`,
  },
  {
    title: 'Initialized components',
    query: `sum(dapr_runtime_component_init_total{${OF_APP}}) by (app_id)`,
  },
  {
    title: 'Component failures',
    query: `sum(dapr_runtime_component_init_fail_total{${OF_APP}}) by (app_id, reason)`,
  },
  {
    title: 'mTLS initialization status',
    query: `rate(dapr_runtime_mtls_init_total{${OF_APP}}[5m])`,
    only: { make: 'holdfast', why: 'daprd has its certificate before it begins to count' },
  },
  {
    title: 'mTLS initialization errors',
    query: `sum(dapr_runtime_mtls_init_fail_total{${OF_APP}}) by (app_id, reason)`,
  },
  {
    title: 'Workload certificate rotation status',
    query: `rate(dapr_runtime_mtls_workload_cert_rotated_total{${OF_APP}}[5m])`,
  },
  {
    title: 'Certificate rotation error reasons',
    query: `sum(dapr_runtime_mtls_workload_cert_rotated_fail_total{${OF_APP}}) by (app_id, reason)`,
  },
];
