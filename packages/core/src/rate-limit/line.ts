import type { Clock, Timer } from '../clock.ts';
import { append, isWaiting, newLink, type QueueLink, unlink } from '../queue-link.ts';
import { HAIR_MS, type Turns } from './turns.ts';

/** One who waits in a line. */
export interface InLine extends QueueLink {
  /** It has its turn, and is in the line no more. */
  hasTurn(): void;
}

/**
 * The calls that wait for a turn of one rate, in order of arrival. None has a turn before it is there:
 * where one leaves, all behind it move up, and a line that is served late is served at its rate.
 *
 * It has a timer of its own, as exact as the platform's: one for all who wait costs little, where the
 * wheel's ticks would take a tenth of a rate of one in 50 ms.
 */
export class Line {
  readonly #clock: Clock;
  readonly #turns: Turns;
  #waiting = 0;
  /** Made when somebody waits for the first time: of a hundred thousand keys, few ever do. */
  #queue: QueueLink | undefined = undefined;
  #timer: Timer | undefined = undefined;
  /** Clock time of the first one's turn, while somebody waits. */
  #dueMs = 0;
  /** Turns are being given out: what comes and goes meanwhile leaves the timer to that. */
  #serving = false;

  constructor(clock: Clock, turns: Turns) {
    this.#clock = clock;
    this.#turns = turns;
  }

  /** Takes a turn for a call that comes now: 0; or says how long that would have to wait for one. */
  arrive(nowMs: number): number {
    if (this.#waiting === 0) return this.#turns.take(nowMs, 0);
    // Nobody overtakes those who wait, also where they are served late.
    return Math.max(HAIR_MS, this.#turns.waitMs(nowMs, this.#waiting));
  }

  /** Puts a call at the end that was told to wait for so long. */
  join(one: InLine, nowMs: number, waitMs: number): void {
    this.#queue ??= newLink();
    append(this.#queue, one);
    this.#waiting += 1;
    if (this.#waiting > 1 || this.#serving) return;
    this.#dueMs = nowMs + waitMs;
    this.#arm(waitMs);
  }

  /** One goes away without a turn. */
  leave(one: InLine): void {
    unlink(one);
    this.#waiting -= 1;
    if (this.#waiting === 0 && !this.#serving) this.#timer?.cancel();
  }

  /** The first one's turn has come, and by now perhaps that of others. */
  #serve(queue: QueueLink): void {
    const nowMs = this.#clock.now();
    // The timer may be late. The rate goes by when turns were due, but for no longer than its grace.
    let atMs = Math.max(this.#dueMs, nowMs - this.#turns.graceMs);
    this.#serving = true;
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
    this.#serving = false;
    if (this.#waiting > 0) this.#arm(this.#dueMs - nowMs);
  }

  #arm(ms: number): void {
    this.#timer = this.#clock.timer(ms, () => this.#serve(this.#queue!));
  }
}
