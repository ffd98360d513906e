import type { AlgorithmRules } from './algorithms.ts';
import type { LimitAlgorithm } from './limit-algorithm.ts';

/** An algorithm that judges latencies by one that it holds for normal. */
export interface BaselineAlgorithm extends LimitAlgorithm {
  readonly baselineMs: number;
  /** Goes on from this limit, with this latency as the normal one. */
  rebase(limit: number, baselineMs: number): void;
}

export interface ProbeRules {
  readonly minLimit: number;
  /** Rounds between two probes, at most; `Infinity`: there are none. */
  readonly probeEvery: number;
  /** 0: a sample is one call, and as many as the limit are a round. Otherwise each is a round. */
  readonly windowMs: number;
}

/** How much of the limit a probe leaves. Little less: a dependency that is well loses little by it. */
const PROBE_RATIO = 0.7;
/** A probe that lowers the limit by less could not tell a queue from noise. */
const WORTH_IT = 0.9;
/** The first is due when the average is warm. */
const FIRST_AFTER = 10;
/** Calls from before a probe are waited for so many rounds; then it is given up. */
const PATIENCE = 10;

const firstDueIn = ({ probeEvery }: ProbeRules) =>
  probeEvery === Infinity ? Infinity : FIRST_AFTER;

interface Probe {
  readonly limit: number;
  /** Latencies below show that there was a queue. */
  readonly thresholdMs: number;
  rounds: number;
  sumMs: number;
  samples: number;
}

/**
 * Asks now and then whether what passes for normal is a queue at the dependency.
 *
 * An algorithm that has seen nothing but a queue takes its latency for normal and
 * never comes down: with all callers at once from the beginning, or when the average
 * has followed a queue that grew slowly. A probe lowers the limit for a moment. Where
 * calls take as long as before, the limit was not the reason and is put back; where
 * they are quicker, the limit stays low, their latency is the normal one from now on,
 * and the next probe follows at once.
 *
 *     at rest ──due, and the limit is used──▶ settling ──older calls gone──▶ measuring
 *        ▲                                       │                            │   │
 *        └───────────── given up, or no quicker ─┴────────────────────────────┘   │
 *        └────────────────────── quicker: limit and normal latency stay ──────────┘
 */
export class Probing implements LimitAlgorithm {
  readonly #inner: BaselineAlgorithm;
  #rules: ProbeRules;
  #dueIn: number;
  /** Of the last round, on average. */
  #recentMs = 0;
  #probe: Probe | undefined;

  constructor(inner: BaselineAlgorithm, rules: ProbeRules) {
    this.#inner = inner;
    this.#rules = rules;
    this.#dueIn = firstDueIn(rules);
  }

  /** A probe under way is given up where the new rules would not have it. */
  follow(rules: AlgorithmRules): void {
    const { probeEvery } = this.#rules;
    this.#rules = rules;
    this.#inner.follow(rules);
    if (rules.probeEvery !== probeEvery) {
      this.#probe = undefined;
      this.#dueIn = firstDueIn(rules);
    } else if (this.limit < rules.minLimit || this.limit > rules.maxLimit) this.#probe = undefined;
  }

  get limit(): number {
    return this.#probe?.limit ?? this.#inner.limit;
  }

  get probing(): boolean {
    return this.#probe !== undefined;
  }

  sample(rttMs: number, inFlight: number, dropped: boolean, drawn: number): void {
    const round = this.#rules.windowMs === 0 ? 1 / this.limit : 1;
    if (this.#probe !== undefined) {
      this.#measure(this.#probe, round, rttMs, inFlight, drawn);
      return;
    }
    this.#inner.sample(rttMs, inFlight, dropped, drawn);
    this.#recentMs += (rttMs - this.#recentMs) * round;
    this.#dueIn -= round;
    if (this.#dueIn <= 0) this.#begin(inFlight);
  }

  #begin(inFlight: number): void {
    const { limit } = this.#inner;
    const lower = Math.max(this.#rules.minLimit, Math.floor(limit * PROBE_RATIO));
    // What does not use the limit would not feel a lower one.
    if (lower > limit * WORTH_IT || inFlight <= lower) return;
    // Half-way between no queue at all and nothing but one.
    const thresholdMs = (this.#recentMs * (1 + lower / limit)) / 2;
    this.#probe = { limit: lower, thresholdMs, rounds: 0, sumMs: 0, samples: 0 };
  }

  #measure(probe: Probe, round: number, rttMs: number, inFlight: number, drawn: number): void {
    probe.rounds += round;
    if (inFlight <= probe.limit) {
      probe.sumMs += rttMs;
      probe.samples += 1;
    }
    const measured = probe.samples * round >= 1;
    // Shares let calls in beyond the limit: these might never be gone.
    if (!measured && probe.rounds < PATIENCE) return;
    this.#probe = undefined;
    const tookMs = probe.sumMs / probe.samples;
    if (measured && tookMs < probe.thresholdMs) {
      this.#inner.rebase(probe.limit, Math.min(tookMs, this.#inner.baselineMs));
      this.#recentMs = tookMs;
      this.#dueIn = 0;
    } else this.#dueIn = this.#rules.probeEvery * (0.5 + drawn / 2);
  }
}
