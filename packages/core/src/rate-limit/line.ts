import type { Clock } from '../clock.ts';
import { Alarm, type Alarms, type Ringing } from '../engine/timers/alarm.ts';
import { append, isWaiting, newLink, type QueueLink, unlink } from '../queue-link.ts';
import type { RateAnswer } from './rate-store.ts';
import { HAIR_MS, type Turns } from './turns.ts';

/** One who waits in a line. */
export interface InLine extends QueueLink {
  /** It has its turn, and is in the line no more. */
  hasTurn(): void;
}

interface World {
  readonly clock: Clock;
  readonly alarms: Alarms;
}

/**
 * The calls that wait for a turn of one rate, in order of arrival. None has a turn before it is there:
 * where one leaves, all behind it move up, and a line that is served late is served at its rate.
 */
export class Line implements Ringing {
  readonly #world: World;
  readonly #turns: Turns;
  #waiting = 0;
  /** Both made when somebody waits for the first time: of a hundred thousand keys, few ever do. */
  #queue: QueueLink | undefined = undefined;
  #alarm: Alarm | undefined = undefined;
  /** Clock time of the first one's turn, while somebody waits. */
  #dueMs = 0;
  /** Turns are being given out: what comes and goes meanwhile leaves the alarm to that. */
  #ringing = false;

  constructor(world: World, turns: Turns) {
    this.#world = world;
    this.#turns = turns;
  }

  /** Takes a turn for a call that comes now, or says how long that would have to wait for one. */
  arrive(nowMs: number): RateAnswer {
    if (this.#waiting === 0) return this.#turns.take(nowMs, 0);
    return { taken: false, waitMs: this.#turns.waitMs(nowMs, this.#waiting) };
  }

  /** Puts a call at the end that was told to wait for so long. */
  join(one: InLine, nowMs: number, waitMs: number): void {
    this.#queue ??= newLink();
    append(this.#queue, one);
    this.#waiting += 1;
    if (this.#waiting > 1 || this.#ringing) return;
    this.#dueMs = nowMs + waitMs;
    this.#arm(waitMs);
  }

  /** One goes away without a turn. */
  leave(one: InLine): void {
    unlink(one);
    this.#waiting -= 1;
    if (this.#waiting === 0 && !this.#ringing) this.#world.alarms.disarm(this.#alarm!);
  }

  /** The first one's turn has come, and by now perhaps that of others. */
  ring(): void {
    const queue = this.#queue!;
    const nowMs = this.#world.clock.now();
    // The alarm may be late. The rate goes by when turns were due, but for no longer than its grace.
    let atMs = Math.max(this.#dueMs, nowMs - this.#turns.graceMs);
    this.#ringing = true;
    while (isWaiting(queue)) {
      this.#dueMs = atMs + this.#turns.waitMs(atMs, 0);
      if (this.#dueMs > nowMs + HAIR_MS) break;
      atMs = this.#dueMs;
      this.#turns.take(atMs, 0);
      const first = queue.next as InLine;
      unlink(first);
      this.#waiting -= 1;
      first.hasTurn();
    }
    this.#ringing = false;
    if (this.#waiting > 0) this.#arm(this.#dueMs - nowMs);
  }

  #arm(ms: number): void {
    this.#alarm ??= new Alarm(this);
    this.#world.alarms.arm(this.#alarm, ms);
  }
}
