import type { CircuitState, OwnCircuitState } from '../../events.ts';
import type { SharedVerdict } from '../shared/circuit-store.ts';

/** Counts since the circuit's generation began; the variables of Dapr's `trip` expressions. */
export interface CircuitCounts {
  /** Admitted calls, those in flight included. */
  readonly requests: number;
  readonly totalSuccesses: number;
  readonly totalFailures: number;
  readonly consecutiveSuccesses: number;
  readonly consecutiveFailures: number;
}

/**
 * A circuit as a health check or a console shows it. Plain data: as JSON it
 * outlives the process, and as `initial` another one goes on from it.
 */
export interface CircuitSnapshot {
  readonly state: CircuitState;
  /** While it observes, what it would do; absent otherwise. */
  readonly observed?: OwnCircuitState;
  readonly counts: CircuitCounts;
  /** The counts that opened it; absent unless it is open or half-open. */
  readonly trippedBy?: CircuitCounts;
  /** Until a probe is let through, in milliseconds; 0 unless open. */
  readonly retryAfterMs: number;
  /** Until a forced state expires, in milliseconds; absent unless it is forced. */
  readonly expiresInMs?: number;
  /** How often it has opened since the pipeline was built. */
  readonly opened: number;
  /** Openings that still lengthen the next; absent while none does. */
  readonly openings?: number;
  /** Why it last changed, in words; empty if it never did. */
  readonly why: string;
  /** What all nodes find, where it is shared and the store has lately been heard. */
  readonly shared?: Pick<SharedVerdict, 'failing' | 'nodes' | 'state'>;
}
