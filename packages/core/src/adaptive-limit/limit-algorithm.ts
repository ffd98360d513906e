import type { AlgorithmRules } from './algorithms.ts';

/**
 * What moves an adaptive limit: pure arithmetic over samples, as in Netflix's
 * concurrency-limits (Apache-2.0; the formulas, not the code). None grows while
 * less than half of the limit is used: that traffic proves nothing.
 */
export interface LimitAlgorithm {
  /** What it stands at; may have a fraction. */
  readonly limit: number;
  /** Whether it stands lower for a moment, to see what that does to latencies. */
  readonly probing: boolean;
  /** Takes a sample; `drawn` is a chance in [0, 1). */
  sample(rttMs: number, inFlight: number, dropped: boolean, drawn: number): void;
  /** Goes on with what it has learned, under other rules. */
  follow(rules: AlgorithmRules): void;
}
