import type { Clock } from '@holdfast/core';
import type { InvocationType } from '@holdfast/telemetry';
import type { SidecarMetrics } from '../metrics/sidecar-metrics.ts';

interface Counting {
  readonly metrics: Pick<SidecarMetrics, 'sent' | 'returned'>;
  readonly clock: Clock;
}

/** Counts an attempt at another sidecar, as Dapr does; what it returns is told the status of the answer, if one comes. */
export function countAttempt(
  { clock, metrics }: Counting,
  appId: string,
  type: InvocationType,
): (status: number) => void {
  const sentMs = clock.now();
  metrics.sent(appId, type);
  return (status) => metrics.returned(appId, type, status, clock.now() - sentMs);
}
