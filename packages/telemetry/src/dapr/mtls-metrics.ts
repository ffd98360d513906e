import type { Metrics } from '../metrics/metrics.ts';

/** The certificate by which a sidecar is known to others, and who was not let in. */
export interface MtlsMetrics {
  /** A certificate is in use, until then (Unix time in milliseconds). */
  inUse(notAfterMs: number): void;
  /** New files were taken over, or made no sense and changed nothing. */
  reloaded(outcome: 'good' | 'bad'): void;
  /** A connection of another sidecar was not let in. */
  refused(): void;
}

/**
 * Dapr's `dapr_runtime_mtls_{init_total,workload_cert_rotated_total,workload_cert_rotated_fail_total}`,
 * and what Dapr does not tell: `holdfast_mtls_{certificate_expiry_seconds,refused_connections_total}`.
 * Each appears with its first count.
 */
export function mtlsMetrics(metrics: Metrics, { appId }: { readonly appId: string }): MtlsMetrics {
  let begun = false;
  return {
    inUse(notAfterMs) {
      if (!begun) {
        metrics
          .counter(
            'dapr_runtime_mtls_init_total',
            'The number of successful mTLS authenticator initialization.',
            ['app_id'],
          )
          .labels(appId)
          .inc();
      }
      begun = true;
      metrics
        .gauge(
          'holdfast_mtls_certificate_expiry_seconds',
          'Unix time at which the certificate shown to other sidecars ends.',
        )
        .labels()
        .set(Math.floor(notAfterMs / 1_000));
    },
    reloaded(outcome) {
      if (outcome === 'good') {
        metrics
          .counter(
            'dapr_runtime_mtls_workload_cert_rotated_total',
            'The number of the successful workload certificate rotations.',
            ['app_id'],
          )
          .labels(appId)
          .inc();
        return;
      }
      metrics
        .counter(
          'dapr_runtime_mtls_workload_cert_rotated_fail_total',
          'The number of the failed workload certificate rotations.',
          ['app_id', 'reason'],
        )
        // Dapr's reasons are steps of asking Sentry; these certificates are files.
        .labels(appId, 'files')
        .inc();
    },
    refused() {
      metrics
        .counter(
          'holdfast_mtls_refused_connections_total',
          'Connections of other sidecars that were not let in.',
        )
        .labels()
        .inc();
    },
  };
}
