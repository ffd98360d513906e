const FIRST_MS = 100;
const LONGEST_MS = 10_000;

/** A process that ran this long counts as having recovered: its next failure is a first one again. */
const RECOVERED_AFTER_MS = 10_000;

/** How long to wait before a restart: 100 ms, doubled with each failure in a row, 10 s at most. */
export function restartDelayMs(failuresInARow: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, failuresInARow - 1));
}

/** Failures in a row, this one included. */
export function countFailure(before: number, ranForMs: number): number {
  return ranForMs >= RECOVERED_AFTER_MS ? 1 : before + 1;
}
