import { unset } from '../reject-later.ts';
import { Alarm, type Alarms } from './alarm.ts';

/** Granularity. An alarm rings at most two ticks late while the event loop is free. */
export const TICK_MS = 4;
const SLOTS = 256;

/**
 * One repeating timer for all alarms, in place of a `setTimeout` per call.
 *
 *     arm ──▶ fresh ──next turn──▶ slot of its tick ──its turn──▶ ring
 *
 * Reading the clock costs as much as a bare `await`, so `arm` does not: a fresh
 * alarm starts to count at the next turn, where one reading serves them all. It
 * rings up to a tick later for it and never early; a call that ends within its
 * first tick, as most do, never pays. After a blocked event loop, this also lets
 * answers that already wait in the socket come in before their calls time out.
 *
 * A fresh alarm that is disarmed stays linked until the next turn: its pooled
 * operation mostly arms it again before then, and linking costs more than arming.
 */
export class Wheel implements Alarms {
  readonly #now: () => number;
  readonly #every: (ms: number, turn: () => void) => () => void;
  readonly #fresh = new Alarm();
  readonly #due = new Alarm();
  #slots: Alarm[] = [];
  #tick = 0;
  /** Alarms in any list, armed or not. */
  #linked = 0;
  #stop: () => void = unset;
  /** The platform's timer that it ticks by; undefined while it stands. Fake ones come and go, and take the ticking with them. */
  #ticksBy: unknown = undefined;

  /** `every` calls back each so many milliseconds, keeps the process alive, and returns what ends it. */
  constructor(now: () => number, every: (ms: number, turn: () => void) => () => void) {
    this.#now = now;
    this.#every = every;
  }

  arm(alarm: Alarm, ms: number): void {
    if (ms === Infinity) return;
    alarm.ms = ms;
    if (!alarm.linked) {
      alarm.linkBefore(this.#fresh);
      this.#linked += 1;
    }
    if (this.#ticksBy !== setInterval) this.#start();
  }

  disarm(alarm: Alarm): void {
    alarm.ms = -1;
    if (alarm.dueMs >= 0) this.#unlink(alarm);
  }

  remainingMs(alarm: Alarm): number {
    if (alarm.ms < 0) return Infinity;
    const nowMs = this.#now();
    if (alarm.dueMs < 0) this.#place(alarm, nowMs);
    return Math.max(0, alarm.dueMs - nowMs);
  }

  #start(): void {
    if (this.#slots.length === 0) this.#slots = Array.from({ length: SLOTS }, () => new Alarm());
    this.#tick = Math.floor(this.#now() / TICK_MS);
    this.#ticksBy = setInterval;
    this.#stop();
    this.#stop = this.#every(TICK_MS, () => this.#turn());
  }

  #turn(): void {
    const nowMs = this.#now();
    const tick = Math.floor(nowMs / TICK_MS);
    // Before anything rings: what is armed by a ringing alarm began after `nowMs`.
    while (this.#fresh.linked) {
      const alarm = this.#fresh.next;
      if (alarm.ms < 0) this.#unlink(alarm);
      else this.#place(alarm, nowMs);
    }
    if (this.#linked === 0) {
      this.#stop();
      this.#ticksBy = undefined;
      return;
    }

    // The last tick's slot again, for it was not over. After a pause longer than the wheel is
    // round, once through every slot is enough.
    for (let t = Math.max(this.#tick, tick - SLOTS + 1); t <= tick; t += 1) {
      this.#collect(this.#slots[t % SLOTS]!, nowMs);
    }
    this.#tick = tick;

    // One by one from a list of their own: a ringing alarm may disarm any other.
    while (this.#due.linked) {
      const alarm = this.#due.next;
      this.disarm(alarm);
      alarm.ring();
    }
  }

  /** Gives a fresh alarm its due time, counted from `nowMs`. */
  #place(alarm: Alarm, nowMs: number): void {
    alarm.dueMs = nowMs + alarm.ms;
    alarm.unlink();
    alarm.linkBefore(this.#slots[Math.floor(alarm.dueMs / TICK_MS) % SLOTS]!);
  }

  #unlink(alarm: Alarm): void {
    alarm.unlink();
    alarm.dueMs = -1;
    this.#linked -= 1;
  }

  #collect(slot: Alarm, nowMs: number): void {
    for (let alarm = slot.next; alarm !== slot; ) {
      const next = alarm.next;
      if (alarm.dueMs <= nowMs) {
        alarm.unlink();
        alarm.linkBefore(this.#due);
      }
      alarm = next;
    }
  }
}
