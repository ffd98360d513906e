import type { Clock } from '@holdfast/core';

/** SQLite's code for a lock that somebody else has. */
const SQLITE_BUSY = 5;
const PAUSE_MS = 25;

/** Does it again and again while another process writes; others have the event loop in between. */
export async function whileBusy<T>(work: () => T, busyMs: number, clock: Clock): Promise<T> {
  const giveUpAtMs = clock.now() + busyMs;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || clock.now() >= giveUpAtMs) throw error;
      await clock.sleep(PAUSE_MS);
    }
  }
}

/** Somebody else has the lock. The upper bits of the code say more about it. */
export const isBusy = (error: unknown): boolean =>
  ((error as { readonly errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY;
