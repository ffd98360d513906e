import type { Logger } from '@holdfast/telemetry/log';
import type { AccessGate } from '../access/access-gate.ts';
import type { LiveMetrics } from '../metrics/live-metrics.ts';
import type { OpenTracing } from '../trace/open-tracing.ts';
import type { Configuration } from './configuration.ts';

export interface AppliedTo {
  readonly tracing: Pick<OpenTracing, 'follow'>;
  readonly access: Pick<AccessGate, 'list'>;
  readonly metrics: Pick<LiveMetrics, 'follow'>;
  readonly log: Logger;
}

/**
 * Puts in force what a running sidecar can change and does not look up as it goes; of the rest the
 * log says that it waits for the next start.
 */
export async function applyConfiguration(
  next: Configuration,
  before: Configuration,
  { access, log, metrics, tracing }: AppliedTo,
): Promise<void> {
  access.list = next.accessControl;
  await tracing.follow(next).catch((error: Error) => {
    log.error(
      `spec.tracing of the Configuration cannot be used and stays as it was: ${error.message}`,
    );
  });
  metrics.follow(next.metrics);
  for (const warning of next.warnings) if (!before.warnings.includes(warning)) log.warn(warning);
  if (JSON.stringify(next.nameResolution) !== JSON.stringify(before.nameResolution)) {
    log.warn('spec.nameResolution of the Configuration: in force after the next start.');
  }
}
