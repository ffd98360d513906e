import { LONGEST_TIMER_MS } from './check.ts';
import type { Alarms } from './engine/alarm.ts';
import { ClockAlarms } from './engine/clock-alarms.ts';
import { Wheel } from './engine/wheel.ts';

/**
 * The only door to time. Production passes `systemClock`; a test passes a
 * `VirtualClock`, and an hour of back-off takes a millisecond.
 */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. Measure with this. */
  now(): number;

  /** Milliseconds since the Unix epoch; may jump. Label records with this, never measure. */
  wallMs(): number;

  /** Resolves after `ms`, never earlier. Rejects with `signal.reason` the moment `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;

  /**
   * Calls `fire` once, `ms` or a little more from now, never earlier. The
   * process stays alive until then, or until the timer is cancelled.
   */
  timer(ms: number, fire: () => void): Timer;
}

/** A pending call of `fire`. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/** Real time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: (ms, signal) => sleepOn(systemClock, ms, signal),
  timer(ms, fire) {
    const dueMs = performance.now() + ms;
    // A timer may fire a fraction of a millisecond early, and cannot wait longer
    // than 24 days at once: ask the clock, and wait for the rest.
    const ring = () => {
      const leftMs = dueMs - performance.now();
      if (leftMs > 0) handle = wait(leftMs);
      else fire();
    };
    const wait = (leftMs: number) =>
      setTimeout(ring, Math.min(Math.ceil(leftMs), LONGEST_TIMER_MS));
    let handle = wait(ms);
    return { cancel: () => clearTimeout(handle) };
  },
};

/** `Clock.sleep` in terms of `Clock.timer`, for every clock. */
export function sleepOn(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.timer(ms, () => {
      // The signal may outlive this sleep by hours. Leave nothing hanging on it.
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}

let systemWheel: Wheel | undefined;

/**
 * The alarms of a clock: one wheel for the whole process where time is real.
 *
 * @internal
 */
export function alarmsOf(clock: Clock): Alarms {
  if (clock !== systemClock) return new ClockAlarms(clock);
  systemWheel ??= new Wheel(systemClock.now, (ms, turn) => {
    // The one that belongs to it, whoever fakes the platform's timers meanwhile.
    const { clearInterval } = globalThis;
    const handle = setInterval(turn, ms);
    return () => clearInterval(handle);
  });
  return systemWheel;
}
