import type { Clock } from '@holdfast/core';

export interface KeepConsumingOptions {
  readonly clock: Clock;
  /** Wait before it consumes again: the first, doubling up to ten times this. */
  readonly reconnectMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly lost: (error: unknown) => void;
}

/**
 * Consumes again whenever consuming ends, until `signal` aborts. `progress`, called when something
 * was handled, has the waits begin anew. Never rejects.
 */
export async function keepConsuming(
  consume: (progress: () => void) => Promise<void>,
  { clock, lost, reconnectMs, signal }: KeepConsumingOptions,
): Promise<void> {
  let losses = 0;
  const progress = () => {
    losses = 0;
  };
  while (!signal.aborted) {
    try {
      await consume(progress);
    } catch (error) {
      if (signal.aborted) break;
      lost(error);
    }
    const waitMs = Math.min(reconnectMs * 10, reconnectMs * 2 ** Math.min(losses, 10));
    losses += 1;
    // Rejects when it is ended meanwhile, which ends the loop.
    await clock.sleep(waitMs, signal).catch(() => {});
  }
}
