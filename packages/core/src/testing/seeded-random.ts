import { checkNumber } from '../check.ts';
import type { Random } from '../random.ts';

/** Chance that repeats itself: the same seed gives the same numbers on every machine (mulberry32). */
export function seededRandom(seed: number): Random {
  checkNumber('seededRandom.seed', seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  let state = seed | 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}
