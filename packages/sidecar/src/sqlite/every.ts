import type { Clock, Timer } from '@holdfast/core';

/** Does `work` every so often until it is closed. Work that fails, since somebody writes, is made up for by the next. */
export function every(
  intervalMs: number,
  clock: Clock,
  work: () => Promise<void>,
): { close(): void } {
  let timer: Timer;
  const arm = () => {
    timer = clock.timer(intervalMs, () => {
      arm();
      // See above.
      work().catch(() => {});
    });
  };
  arm();
  return { close: () => timer.cancel() };
}
