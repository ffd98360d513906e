import type { Clock } from '@holdfast/core';
import type { Probe, WaitOptions } from './drill.ts';

export interface Polled {
  readonly ok: boolean;
  readonly tookMs: number;
  /** What the last look said was missing, if it did. */
  readonly missing?: string;
}

/** Asks until the answer is yes or time is up. Throws the signal's reason the moment it aborts. */
export async function pollUntil(
  probe: Probe,
  { limitMs = 60_000, everyMs = 50 }: WaitOptions,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Polled> {
  const startedMs = clock.now();
  for (;;) {
    signal.throwIfAborted();
    // A question to something broken may well throw; that only means "not yet".
    const found = await probe().catch((error: unknown) => String(error));
    const tookMs = clock.now() - startedMs;
    if (found === true) return { ok: true, tookMs };
    if (tookMs >= limitMs) {
      return { ok: false, tookMs, ...(found === false ? {} : { missing: found }) };
    }
    await clock.sleep(everyMs, signal);
  }
}
