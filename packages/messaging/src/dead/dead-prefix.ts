import type { DeadRetention } from '../store.ts';

/**
 * How many of the letters that have been dead the longest are to be forgotten. `agesMs`: how long
 * they have been dead, the longest first, of all `dead`.
 */
export function deadPrefix(
  agesMs: readonly number[],
  dead: number,
  { maxAgeMs = Number.POSITIVE_INFINITY, maxCount = Number.POSITIVE_INFINITY }: DeadRetention,
): number {
  const surplus = dead - maxCount;
  const kept = agesMs.findIndex((ageMs, index) => index >= surplus && ageMs <= maxAgeMs);
  return kept === -1 ? agesMs.length : kept;
}
