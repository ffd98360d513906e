import type { Clock } from '@holdfast/core';

/** A connection that still leads to the wrong place is not replaced more often than this. */
const EVERY_MS = 1_000;

/**
 * Replaces a connection when nothing is under way on it, so that nobody loses an answer; where there always
 * is, a second after it was asked to.
 */
export class Renewal {
  readonly #renew: () => void;
  readonly #clock: Clock;
  #underWay = 0;
  #askedMs: number | undefined;
  #renewedMs = Number.NEGATIVE_INFINITY;

  constructor(renew: () => void, clock: Clock) {
    this.#renew = renew;
    this.#clock = clock;
  }

  /** Something begins on the connection; what is returned is called when it has ended. */
  enter(): () => void {
    this.#underWay += 1;
    return () => {
      this.#underWay -= 1;
      this.#look();
    };
  }

  /** By one that is under way, and has found it to lead to the wrong place. */
  ask(): void {
    const nowMs = this.#clock.now();
    if (nowMs - this.#renewedMs >= EVERY_MS) this.#askedMs ??= nowMs;
  }

  #look(): void {
    if (this.#askedMs === undefined) return;
    const nowMs = this.#clock.now();
    if (this.#underWay > 0 && nowMs - this.#askedMs < EVERY_MS) return;
    this.#askedMs = undefined;
    this.#renewedMs = nowMs;
    this.#renew();
  }
}
