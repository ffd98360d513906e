import { checkMethods, checkNumber, LONGEST_TIMER_MS } from '../check.ts';
import type { Clock, Timer } from '../clock.ts';

/** Says how much there is to do; higher is more. */
export interface LoadProbe {
  /** Asked for every call that comes in: it must be cheap. */
  load(): number;
  /** Work begins; a probe that measures by timers may do so until `ends`. */
  begins?(): void;
  ends?(): void;
}

/**
 * How late timers are, in milliseconds: what an event loop with too much to do
 * makes every request wait. It is measured only while there are calls, so that
 * nothing keeps an idle process alive; a blocked loop is noticed at the next
 * call after it. Falls by half with each measurement that is better.
 *
 * @param everyMs between measurements. @default 20 ms
 */
export function eventLoopDelay(clock: Clock, everyMs = 20): LoadProbe {
  checkMethods('eventLoopDelay.clock', clock ?? null, 'now', 'timer');
  checkNumber('eventLoopDelay.everyMs', everyMs, 1, LONGEST_TIMER_MS);
  let busy = 0;
  let timer: Timer | undefined;
  let dueMs = 0;
  let delayMs = 0;

  const measure = () => {
    const lateMs = Math.max(0, clock.now() - dueMs);
    delayMs = lateMs >= delayMs ? lateMs : (delayMs + lateMs) / 2;
    timer = undefined;
    if (busy > 0) arm();
  };
  const arm = () => {
    dueMs = clock.now() + everyMs;
    timer = clock.timer(everyMs, measure);
  };
  return {
    // A measurement that is overdue has its answer already.
    load: () =>
      timer === undefined ? delayMs : Math.max(delayMs, Math.max(0, clock.now() - dueMs)),
    begins() {
      busy += 1;
      if (timer === undefined) arm();
    },
    ends() {
      busy -= 1;
      if (busy > 0) return;
      timer?.cancel();
      timer = undefined;
      // Nobody measures now; what was measured last would be held against a later call for ever.
      delayMs = 0;
    },
  };
}
