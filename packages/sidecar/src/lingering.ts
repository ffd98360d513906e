import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { goDuration } from './go-json/go-duration.ts';

export interface LingeringOptions {
  /** The longest it lasts; undefined: it is over before it begins. */
  readonly ms: number | undefined;
  /** Resolves when the application is not healthy; never where nobody looks. */
  readonly unhealthy: () => Promise<void>;
  /** It lingers: it is not ready any more, and takes no events. */
  readonly begun: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Goes on serving after the signal to end (`--dapr-block-shutdown-duration`), so
 * that an application that is ending too can still call out: until the time is
 * over, the application is unhealthy, or `signal` aborts.
 */
export async function linger(options: LingeringOptions, signal: AbortSignal): Promise<void> {
  const { begun, clock, log, ms, unhealthy } = options;
  if (ms === undefined) return;
  // The lines are daprd's.
  log.info(`Blocking graceful shutdown for ${goDuration(ms)} or until app reports unhealthy...`);
  begun();
  const waiting = new AbortController();
  const over = clock
    .sleep(ms, AbortSignal.any([signal, waiting.signal]))
    // Somebody asked again to end it.
    .catch(() => {});
  const why = await Promise.race([
    over.then(() => 'Block shutdown period expired, entering shutdown...'),
    unhealthy().then(() => 'App reported unhealthy, entering shutdown...'),
  ]);
  waiting.abort();
  log.info(why);
}
