import type { Clock, Timer } from '../clock.ts';

/** The timers of the platform, on a clock of the test's: give them to the code under test in place of the globals. */
export interface VirtualTimers {
  setTimeout(callback: () => void, ms?: number): VirtualTimer;
  clearTimeout(timer: VirtualTimer | undefined): void;
  setInterval(callback: () => void, ms?: number): VirtualTimer;
  clearInterval(timer: VirtualTimer | undefined): void;
  /** As `AbortSignal.timeout`. */
  abortAfter(ms: number): AbortSignal;
  /** Milliseconds since the Unix epoch, as `Date.now`. */
  now(): number;
}

/** What is cleared. */
export interface VirtualTimer {
  readonly cancel: () => void;
}

/** Timers that `clock` drives; no global is patched. */
export function virtualTimers(clock: Clock): VirtualTimers {
  const every = (callback: () => void, ms: number): VirtualTimer => {
    let timer: Timer;
    const arm = () => {
      timer = clock.timer(Math.max(1, ms), () => {
        arm();
        callback();
      });
    };
    arm();
    return { cancel: () => timer.cancel() };
  };
  return {
    setTimeout: (callback, ms = 0) => clock.timer(ms, callback),
    clearTimeout: (timer) => timer?.cancel(),
    setInterval: (callback, ms = 0) => every(callback, ms),
    clearInterval: (timer) => timer?.cancel(),
    abortAfter(ms) {
      const controller = new AbortController();
      clock.timer(ms, () =>
        controller.abort(
          new DOMException('The operation was aborted due to timeout', 'TimeoutError'),
        ),
      );
      return controller.signal;
    },
    now: () => clock.wallMs(),
  };
}
