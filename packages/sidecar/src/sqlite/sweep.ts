import type { Clock, Timer } from '@holdfast/core';

/** Deletes what has expired, every so often. A sweep that fails, since somebody writes, is made up for by the next. */
export function sweepEvery(
  intervalMs: number,
  clock: Clock,
  sweep: () => Promise<void>,
): { close(): void } {
  let timer: Timer;
  const arm = () => {
    timer = clock.timer(intervalMs, () => {
      arm();
      // See above.
      sweep().catch(() => {});
    });
  };
  arm();
  return { close: () => timer.cancel() };
}
