import type { DatabaseSync } from 'node:sqlite';
import type { Clock, Timer } from '@holdfast/core';

/** Deletes what has expired, every so often. A sweep that fails, since somebody writes, is made up for by the next. */
export function sweepEvery(
  intervalMs: number,
  clock: Clock,
  database: DatabaseSync,
  deleteExpired: string,
): { close(): void } {
  let timer: Timer;
  const arm = () => {
    timer = clock.timer(intervalMs, () => {
      arm();
      try {
        database.exec(deleteExpired);
      } catch {
        // See above.
      }
    });
  };
  arm();
  return { close: () => timer.cancel() };
}
