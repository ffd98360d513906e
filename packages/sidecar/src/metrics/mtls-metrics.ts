import type { Metrics } from '@holdfast/telemetry';

export interface MtlsMetrics {
  /** The certificate shown to other sidecars is good until then. */
  certificate(notAfterMs: number): void;
  certificateReloaded(outcome: 'good' | 'bad'): void;
  /** A connection of another sidecar was not let in. */
  peerRefused(): void;
}

/** Each is registered when there is something to say: a sidecar without certificates has none of them. */
export function mtlsMetrics(metrics: Metrics): MtlsMetrics {
  return {
    certificate(notAfterMs) {
      metrics
        .gauge(
          'holdfast_mtls_certificate_expiry_seconds',
          'Unix time at which the certificate shown to other sidecars ends.',
        )
        .labels()
        .set(Math.floor(notAfterMs / 1000));
    },
    certificateReloaded(outcome) {
      metrics
        .counter(
          'holdfast_mtls_certificate_reloads_total',
          'Changes of the certificate files, by whether they were taken over.',
          ['outcome'],
        )
        .labels(outcome)
        .inc();
    },
    peerRefused() {
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
