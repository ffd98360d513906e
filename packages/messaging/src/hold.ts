import { LONGEST_TIMER_MS } from '@holdfast/core';
import { checkInteger } from './check.ts';

/**
 * No lease of a store is longer. One that ends later than this was made by a clock that has jumped since:
 * it is over.
 */
export const LONGEST_HOLD_MS = 600_000;

/** Nor is a wait, from one delivery of a message to the next: 24.8 days. */
export const LONGEST_WAIT_MS = LONGEST_TIMER_MS;

/** Throws a `RangeError` for a lease that no store makes. */
export function checkHold(option: string, ms: number): void {
  checkInteger(option, ms, 0, LONGEST_HOLD_MS);
}

/** Throws a `RangeError` for a wait that no store makes. */
export function checkWait(option: string, ms: number): void {
  checkInteger(option, ms, 0, LONGEST_WAIT_MS);
}
