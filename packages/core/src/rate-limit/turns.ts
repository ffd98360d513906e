/** Gives out turns of one rate, for one key. Pure but for what it remembers; the time comes in. */
export interface Turns {
  /**
   * How much of the time by which a turn was given late still counts, in milliseconds: what nobody could
   * have noticed sooner, as timers are late, is not lost to the rate.
   */
  readonly graceMs: number;
  /** How long a call has to wait that has `ahead` others before it, none of which has taken its turn yet. */
  waitMs(nowMs: number, ahead: number): number;
  /** Takes the next turn, if it is in time for `maxWaitMs`; answers how long that is to wait for, taken or not. */
  take(nowMs: number, maxWaitMs: number): number;
}

/** What `turnsOf` needs to know. */
export interface TurnRules {
  readonly algorithm: 'token-bucket' | 'sliding-window';
  readonly limit: number;
  readonly intervalMs: number;
  readonly burst: number;
  readonly warmUpMs: number;
}

export function turnsOf(rules: TurnRules): Turns {
  if (rules.warmUpMs > 0) return new WarmingTurns(rules);
  return rules.algorithm === 'token-bucket' ? new EvenTurns(rules) : new WindowTurns(rules);
}

/** A sum of many fractions is a hair off the whole: a nanosecond late is in time. */
export const HAIR_MS = 1e-6;

export const isInTime = (waitMs: number, maxWaitMs: number) => waitMs <= maxWaitMs + HAIR_MS;

/** As late as timers are under load. After more (a machine that slept), a burst is all that there is at once. */
const GRACE_MS = 50;

/**
 * A token bucket as one number (GCRA, ITU-T I.371): the moment at which it would
 * be full again. A turn moves that on by one interval; as long as it is no
 * further ahead than the burst, there was a token.
 */
class EvenTurns implements Turns {
  readonly graceMs = GRACE_MS;
  readonly #everyMs: number;
  readonly #burstMs: number;
  #fullAtMs = -Infinity;

  constructor({ limit, intervalMs, burst }: TurnRules) {
    this.#everyMs = intervalMs / limit;
    this.#burstMs = burst * this.#everyMs;
  }

  waitMs(nowMs: number, ahead: number): number {
    const fullAtMs = Math.max(this.#fullAtMs, nowMs) + (ahead + 1) * this.#everyMs;
    const waitMs = fullAtMs - this.#burstMs - nowMs;
    return waitMs < HAIR_MS ? 0 : waitMs;
  }

  take(nowMs: number, maxWaitMs: number): number {
    const waitMs = this.waitMs(nowMs, 0);
    if (isInTime(waitMs, maxWaitMs)) {
      this.#fullAtMs = Math.max(this.#fullAtMs, nowMs) + this.#everyMs;
    }
    return waitMs;
  }
}

/** The moments of the last `limit` turns, in a ring: the oldest says when the next may be. */
class WindowTurns implements Turns {
  // None: no window, wherever it begins, is to hold more than the limit, late or not.
  readonly graceMs = 0;
  readonly #intervalMs: number;
  readonly #atMs: Float64Array;
  /** Place of the oldest, which is the next to be written. */
  #oldest = 0;

  constructor({ limit, intervalMs }: TurnRules) {
    this.#intervalMs = intervalMs;
    this.#atMs = new Float64Array(limit).fill(-Infinity);
  }

  waitMs(nowMs: number, ahead: number): number {
    const { length } = this.#atMs;
    const freeAtMs = this.#atMs[(this.#oldest + ahead) % length]! + this.#intervalMs;
    // Who has a whole window of others before it waits for their interval as well.
    return Math.max(0, freeAtMs - nowMs) + Math.floor(ahead / length) * this.#intervalMs;
  }

  take(nowMs: number, maxWaitMs: number): number {
    const waitMs = this.waitMs(nowMs, 0);
    if (isInTime(waitMs, maxWaitMs)) {
      this.#atMs[this.#oldest] = nowMs + waitMs;
      this.#oldest = (this.#oldest + 1) % this.#atMs.length;
    }
    return waitMs;
  }
}

const COLD_FACTOR = 3;

/**
 * Guava's SmoothWarmingUp: unused permits pile up while it is idle, and each of
 * those beyond a threshold costs more time than one of the steady rate. A turn
 * is free at once if the ones before are paid for.
 */
class WarmingTurns implements Turns {
  readonly graceMs = GRACE_MS;
  readonly #everyMs: number;
  readonly #threshold: number;
  readonly #most: number;
  readonly #slope: number;
  readonly #coolMs: number;
  #stored = 0;
  #freeAtMs = -Infinity;

  constructor({ limit, intervalMs, warmUpMs }: TurnRules) {
    const everyMs = intervalMs / limit;
    const coldMs = everyMs * COLD_FACTOR;
    this.#everyMs = everyMs;
    this.#threshold = (0.5 * warmUpMs) / everyMs;
    this.#most = this.#threshold + (2 * warmUpMs) / (everyMs + coldMs);
    this.#slope = (coldMs - everyMs) / (this.#most - this.#threshold);
    this.#coolMs = warmUpMs / this.#most;
  }

  waitMs(nowMs: number, ahead: number): number {
    const freeAtMs = Math.max(nowMs, this.#freeAtMs);
    const waitMs = freeAtMs + this.#costMs(this.#storedAt(nowMs), ahead) - nowMs;
    return waitMs < HAIR_MS ? 0 : waitMs;
  }

  take(nowMs: number, maxWaitMs: number): number {
    const waitMs = this.waitMs(nowMs, 0);
    if (isInTime(waitMs, maxWaitMs)) {
      const stored = this.#storedAt(nowMs);
      this.#freeAtMs = Math.max(nowMs, this.#freeAtMs) + this.#costMs(stored, 1);
      this.#stored = stored - Math.min(1, stored);
    }
    return waitMs;
  }

  /** Permits piled up. At first it has been idle for ever, and is as cold as it can be. */
  #storedAt(nowMs: number): number {
    const idleMs = Math.max(0, nowMs - this.#freeAtMs);
    return Math.min(this.#most, this.#stored + idleMs / this.#coolMs);
  }

  /** The time that so many permits cost one after another, stored ones first. */
  #costMs(stored: number, permits: number): number {
    const above = Math.max(0, stored - this.#threshold);
    const fromAbove = Math.min(above, permits);
    const price = (left: number) => this.#everyMs + left * this.#slope;
    const dearMs = (fromAbove * (price(above) + price(above - fromAbove))) / 2;
    return dearMs + (permits - fromAbove) * this.#everyMs;
  }
}
