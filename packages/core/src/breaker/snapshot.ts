import type { CircuitState } from '../events.ts';

/** Counts since the circuit's generation began; the variables of Dapr's `trip` expressions. */
export interface CircuitCounts {
  /** Admitted calls, those in flight included. */
  readonly requests: number;
  readonly totalSuccesses: number;
  readonly totalFailures: number;
  readonly consecutiveSuccesses: number;
  readonly consecutiveFailures: number;
}

/** A circuit as a health check or a console shows it. */
export interface CircuitSnapshot {
  readonly state: CircuitState;
  readonly counts: CircuitCounts;
  /** The counts that opened it; absent unless it is open or half-open. */
  readonly trippedBy?: CircuitCounts;
  /** Until a probe is let through, in milliseconds; 0 unless open. */
  readonly retryAfterMs: number;
  /** How often it has opened since the pipeline was built. */
  readonly opened: number;
  /** Why it last changed, in words; empty if it never did. */
  readonly why: string;
}
