import type { Clock } from '@holdfast/core';

/** SQLite's code for a lock that somebody else has. */
const SQLITE_BUSY = 5;
/** Between attempts; the last one from then on. */
const PAUSES_MS = [1, 2, 5, 10, 15, 20, 25] as const;

/** Does it again and again while another process writes; others have the event loop in between. */
export async function whileBusy<T>(work: () => T, busyMs: number, clock: Clock): Promise<T> {
  const giveUpAtMs = clock.now() + busyMs;
  for (let pauses = 0; ; pauses += 1) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || clock.now() >= giveUpAtMs) throw error;
      await clock.sleep(PAUSES_MS[Math.min(pauses, PAUSES_MS.length - 1)]!);
    }
  }
}

/**
 * As `whileBusy`, for all that write to one file: one of them asks for the lock, the others wait behind it in the
 * order they came, each for `busyMs` in all.
 */
export function inTurn(busyMs: number, clock: Clock): <T>(work: () => T) => Promise<T> {
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  return async (work) => {
    const giveUpAtMs = clock.now() + busyMs;
    const left = () => Math.max(0, giveUpAtMs - clock.now());
    waiting += 1;
    const turn =
      waiting === 1
        ? whileBusy(work, busyMs, clock)
        : last.then(() => whileBusy(work, left(), clock));
    // The next one's turn comes however this one ends.
    last = turn.catch(() => {});
    return await turn.finally(() => {
      waiting -= 1;
    });
  };
}

/** Somebody else has the lock. The upper bits of the code say more about it. */
export const isBusy = (error: unknown): boolean =>
  ((error as { readonly errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY;
