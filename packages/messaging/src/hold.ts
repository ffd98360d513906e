import { checkInteger } from './check.ts';

/**
 * No lease and no wait of a store is longer. One that ends later than this was made by a clock that
 * has jumped since: it is over.
 */
export const LONGEST_HOLD_MS = 600_000;

/** Throws a `RangeError` for a lease or a wait that no store makes. */
export function checkHold(option: string, ms: number): void {
  checkInteger(option, ms, 0, LONGEST_HOLD_MS);
}
