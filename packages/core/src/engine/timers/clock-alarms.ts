import type { Clock } from '../../clock.ts';
import type { Alarm, Alarms } from './alarm.ts';

/** Alarms of any clock, by a timer each: exact to the millisecond, for virtual time. */
export class ClockAlarms implements Alarms {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  arm(alarm: Alarm, ms: number): void {
    if (ms === Infinity) return;
    alarm.dueMs = this.#clock.now() + ms;
    const timer = this.#clock.timer(ms, () => {
      alarm.cancel = undefined;
      alarm.ring();
    });
    alarm.cancel = () => timer.cancel();
  }

  disarm(alarm: Alarm): void {
    alarm.cancel?.();
    alarm.cancel = undefined;
  }

  remainingMs(alarm: Alarm): number {
    return alarm.cancel === undefined ? Infinity : Math.max(0, alarm.dueMs - this.#clock.now());
  }
}
