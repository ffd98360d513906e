import type { CircuitCounts } from '@holdfast/core';

/** What `trip` may name; Dapr counts them in 64 bits, so CEL's int, so BigInt. */
export const TRIP_VARIABLES = [
  'requests',
  'totalSuccesses',
  'totalFailures',
  'consecutiveSuccesses',
  'consecutiveFailures',
] as const satisfies readonly (keyof CircuitCounts)[];

export const DEFAULT_TRIP = 'consecutiveFailures > 5';

/** Longest `trip` in characters. It is evaluated after each failure, so it has to be small. */
export const LONGEST_TRIP = 1_000;

/** A compiled `trip`: cheap to ask, and false when it cannot be evaluated. */
export interface Trip {
  /** As written. */
  readonly text: string;
  readonly evaluate: (counts: CircuitCounts) => boolean;
  /** The number of failures in a row that it waits for, where that is all it says. */
  readonly consecutiveFailures?: number;
}

export interface TripFault {
  readonly kind:
    | 'bad-trip'
    | 'trip-not-boolean'
    | 'undeclared-variable'
    | 'breaker-cannot-trip'
    | 'integer-division';
  readonly message: string;
  /** Where in the text, from 0. */
  readonly offset: number;
  /** The word at fault, where there is one. */
  readonly word?: string;
}

/** Of the parser; a `trip` is a line, not a program. */
export const CEL_LIMITS = {
  maxAstNodes: 300,
  maxDepth: 32,
  maxListElements: 50,
  maxMapEntries: 50,
};
