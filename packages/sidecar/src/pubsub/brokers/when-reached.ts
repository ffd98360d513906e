import type { Clock } from '@holdfast/core';
import { BrokerUnavailableError } from '@holdfast/messaging';

export interface WhenReachedOptions {
  readonly clock: Clock;
  /** Something before it keeps what it cannot be given, and comes back by itself: nobody waits here. */
  readonly mayBeAway: boolean;
  /** Aborts when the component is closed. */
  readonly closing: AbortSignal;
  /** Of who waits for it. */
  readonly signal: AbortSignal | undefined;
}

/** So long it is tried again; what an attempt takes counts. */
const PATIENCE_MS = 5_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;

/**
 * Publishes when the broker can be reached: one that restarts is back in seconds, and whoever publishes meanwhile
 * need not hear of it. Only what was not sent is tried again. Rejects with the last error, or the signal's reason.
 */
export async function whenReached(
  publish: () => Promise<void>,
  { clock, closing, mayBeAway, signal }: WhenReachedOptions,
): Promise<void> {
  const giveUpAtMs = clock.now() + (mayBeAway ? 0 : PATIENCE_MS);
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    try {
      return await publish();
    } catch (error) {
      const mayPass = error instanceof BrokerUnavailableError && error.unsent && !error.lasting;
      if (!mayPass || clock.now() + pauseMs > giveUpAtMs) throw error;
      const over = signal === undefined ? closing : AbortSignal.any([signal, closing]);
      await clock.sleep(pauseMs, over);
    }
  }
}
