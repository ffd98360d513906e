import type { RateAnswer } from './rate-store.ts';

/** Gives out turns of one rate, for one key. Pure but for what it remembers; the time comes in. */
export interface Turns {
  /** Takes the next turn, unless it is later than `maxWaitMs`. */
  take(nowMs: number, maxWaitMs: number): RateAnswer;
  /** Gives back a turn that was taken and will not be used. */
  giveBack(): void;
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

/**
 * A token bucket as one number (GCRA, ITU-T I.371): the moment at which it would
 * be full again. A turn moves that on by one interval; as long as it is no
 * further ahead than the burst, there was a token.
 */
class EvenTurns implements Turns {
  readonly #everyMs: number;
  readonly #burstMs: number;
  #fullAtMs = -Infinity;

  constructor({ limit, intervalMs, burst }: TurnRules) {
    this.#everyMs = intervalMs / limit;
    this.#burstMs = burst * this.#everyMs;
  }

  take(nowMs: number, maxWaitMs: number): RateAnswer {
    const fullAtMs = Math.max(this.#fullAtMs, nowMs) + this.#everyMs;
    const waitMs = Math.max(0, fullAtMs - this.#burstMs - nowMs);
    // A sum of many fractions is a hair off the whole: a nanosecond late is in time.
    if (waitMs > maxWaitMs + 1e-6) return { taken: false, waitMs };
    this.#fullAtMs = fullAtMs;
    return { taken: true, waitMs: waitMs < 1e-6 ? 0 : waitMs };
  }

  giveBack(): void {
    this.#fullAtMs -= this.#everyMs;
  }
}

/** The moments of the last `limit` turns, in a ring: the oldest says when the next may be. */
class WindowTurns implements Turns {
  readonly #intervalMs: number;
  readonly #atMs: Float64Array;
  /** Place of the oldest, which is the next to be written. */
  #oldest = 0;

  constructor({ limit, intervalMs }: TurnRules) {
    this.#intervalMs = intervalMs;
    this.#atMs = new Float64Array(limit).fill(-Infinity);
  }

  take(nowMs: number, maxWaitMs: number): RateAnswer {
    const freeAtMs = this.#atMs[this.#oldest]! + this.#intervalMs;
    const waitMs = Math.max(0, freeAtMs - nowMs);
    if (waitMs > maxWaitMs) return { taken: false, waitMs };
    this.#atMs[this.#oldest] = nowMs + waitMs;
    this.#oldest = (this.#oldest + 1) % this.#atMs.length;
    return { taken: true, waitMs };
  }

  giveBack(): void {
    // The turns after it have been promised their moments already: it is forgone.
  }
}

const COLD_FACTOR = 3;

/**
 * Guava's SmoothWarmingUp: unused permits pile up while it is idle, and each of
 * those beyond a threshold costs more time than one of the steady rate. A turn
 * is free at once if the ones before are paid for.
 */
class WarmingTurns implements Turns {
  readonly #everyMs: number;
  readonly #threshold: number;
  readonly #most: number;
  readonly #slope: number;
  readonly #coolMs: number;
  #stored = 0;
  #freeAtMs = -Infinity;
  /** What the last turn cost, for giving it back. */
  #lastCostMs = 0;

  constructor({ limit, intervalMs, warmUpMs }: TurnRules) {
    const everyMs = intervalMs / limit;
    const coldMs = everyMs * COLD_FACTOR;
    this.#everyMs = everyMs;
    this.#threshold = (0.5 * warmUpMs) / everyMs;
    this.#most = this.#threshold + (2 * warmUpMs) / (everyMs + coldMs);
    this.#slope = (coldMs - everyMs) / (this.#most - this.#threshold);
    this.#coolMs = warmUpMs / this.#most;
  }

  take(nowMs: number, maxWaitMs: number): RateAnswer {
    if (nowMs > this.#freeAtMs) {
      // At first it has been idle for ever, and is as cold as it can be.
      const idleMs = nowMs - this.#freeAtMs;
      this.#stored = Math.min(this.#most, this.#stored + idleMs / this.#coolMs);
      this.#freeAtMs = nowMs;
    }
    const waitMs = Math.max(0, this.#freeAtMs - nowMs);
    if (waitMs > maxWaitMs) return { taken: false, waitMs };
    this.#lastCostMs = this.#spend();
    this.#freeAtMs += this.#lastCostMs;
    return { taken: true, waitMs };
  }

  giveBack(): void {
    this.#freeAtMs -= this.#lastCostMs;
    this.#lastCostMs = 0;
  }

  /** Takes one permit, stored or fresh; answers with the time it costs. */
  #spend(): number {
    const spent = Math.min(1, this.#stored);
    const above = Math.max(0, this.#stored - this.#threshold);
    const fromAbove = Math.min(above, spent);
    const price = (permits: number) => this.#everyMs + permits * this.#slope;
    const costMs = (fromAbove * (price(above) + price(above - fromAbove))) / 2;
    this.#stored -= spent;
    return costMs + (spent - fromAbove + (1 - spent)) * this.#everyMs;
  }
}
