import type { LimitAlgorithm } from './limit-algorithm.ts';
import { type BaselineAlgorithm, type ProbeRules, Probing } from './probing.ts';

export interface AlgorithmRules extends ProbeRules {
  readonly algorithm: 'gradient2' | 'vegas' | 'aimd';
  readonly initialLimit: number;
  readonly maxLimit: number;
  readonly timeoutMs: number;
  readonly tolerance: number;
}

export function algorithmOf(rules: AlgorithmRules): LimitAlgorithm {
  switch (rules.algorithm) {
    case 'aimd':
      return new Aimd(rules);
    case 'vegas':
      return new Probing(new Vegas(rules), rules);
    case 'gradient2':
      return new Probing(new Gradient2(rules), rules);
  }
}

const clamp = (value: number, { minLimit, maxLimit }: AlgorithmRules) =>
  Math.max(minLimit, Math.min(maxLimit, value));

const BACKOFF = 0.9;

/** Additive increase, multiplicative decrease. */
class Aimd implements LimitAlgorithm {
  readonly probing = false;
  limit: number;
  #rules: AlgorithmRules;

  constructor(rules: AlgorithmRules) {
    this.#rules = rules;
    this.limit = rules.initialLimit;
  }

  sample(rttMs: number, inFlight: number, dropped: boolean): void {
    if (dropped || rttMs > this.#rules.timeoutMs) this.limit = Math.floor(this.limit * BACKOFF);
    else if (inFlight * 2 >= this.limit) this.limit += 1;
    this.limit = clamp(this.limit, this.#rules);
  }

  follow(rules: AlgorithmRules): void {
    this.#rules = rules;
    this.limit = clamp(this.limit, rules);
  }
}

/** A probe is due after between half and all of so many times the limit's samples. */
const PROBE_MULTIPLIER = 30;

/** TCP Vegas: the queue at the dependency is what the best latency seen cannot explain. */
class Vegas implements BaselineAlgorithm {
  readonly probing = false;
  limit: number;
  #rules: AlgorithmRules;
  #bestMs = 0;
  #samples = 0;
  /** In [0.5, 1); drawn with the first sample. */
  #jitter = 0;

  constructor(rules: AlgorithmRules) {
    this.#rules = rules;
    this.limit = rules.initialLimit;
  }

  sample(rttMs: number, inFlight: number, dropped: boolean, drawn: number): void {
    if (this.#jitter === 0) this.#jitter = 0.5 + drawn / 2;
    this.#samples += 1;
    if (this.#jitter * PROBE_MULTIPLIER * this.limit <= this.#samples) {
      // The best latency may be of another time: it is measured anew.
      this.#jitter = 0.5 + drawn / 2;
      this.#samples = 0;
      this.#bestMs = rttMs;
      return;
    }
    if (this.#bestMs === 0 || rttMs < this.#bestMs) {
      this.#bestMs = rttMs;
      return;
    }
    this.limit = clamp(this.#next(rttMs, inFlight, dropped), this.#rules);
  }

  follow(rules: AlgorithmRules): void {
    this.#rules = rules;
    this.limit = clamp(this.limit, rules);
  }

  get baselineMs(): number {
    return this.#bestMs;
  }

  rebase(limit: number, baselineMs: number): void {
    this.limit = limit;
    this.#bestMs = baselineMs;
  }

  #next(rttMs: number, inFlight: number, dropped: boolean): number {
    const { limit } = this;
    const log = Math.max(1, Math.floor(Math.log10(limit)));
    if (dropped) return limit - log;
    if (inFlight * 2 < limit) return limit;
    const queued = Math.ceil(limit * (1 - this.#bestMs / rttMs));
    if (queued <= log) return limit + 6 * log;
    if (queued < 3 * log) return limit + log;
    return queued > 6 * log ? limit - log : limit;
  }
}

const LONG_WINDOW = 600;
const WARM_UP = 10;
const SMOOTHING = 0.2;
const QUEUE_SIZE = 4;

/** Compares the latency now with that of the last 600 samples. */
class Gradient2 implements BaselineAlgorithm {
  readonly probing = false;
  limit: number;
  #rules: AlgorithmRules;
  #longMs = 0;
  #count = 0;
  #sumMs = 0;

  constructor(rules: AlgorithmRules) {
    this.#rules = rules;
    this.limit = rules.initialLimit;
  }

  sample(rttMs: number, inFlight: number): void {
    const longMs = this.#average(rttMs);
    // The load has gone and left the average high: it comes down faster than it would.
    if (longMs / rttMs > 2) this.#longMs *= 0.95;
    if (inFlight < this.limit / 2) return;
    const gradient = Math.max(0.5, Math.min(1, (this.#rules.tolerance * longMs) / rttMs));
    const next = this.limit * gradient + QUEUE_SIZE;
    this.limit = clamp(this.limit * (1 - SMOOTHING) + next * SMOOTHING, this.#rules);
  }

  follow(rules: AlgorithmRules): void {
    this.#rules = rules;
    this.limit = clamp(this.limit, rules);
  }

  get baselineMs(): number {
    return this.#longMs;
  }

  rebase(limit: number, baselineMs: number): void {
    this.limit = limit;
    this.#longMs = baselineMs;
    this.#count = WARM_UP;
  }

  #average(rttMs: number): number {
    if (this.#count < WARM_UP) {
      this.#count += 1;
      this.#sumMs += rttMs;
      this.#longMs = this.#sumMs / this.#count;
    } else {
      const factor = 2 / (LONG_WINDOW + 1);
      this.#longMs = this.#longMs * (1 - factor) + rttMs * factor;
    }
    return this.#longMs;
  }
}
