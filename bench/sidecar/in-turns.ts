import { medianOf } from './median-of.ts';
import type { Pair } from './pair.ts';

/** Asks each pair so many times, one after the other, so that what disturbs the machine disturbs all; medians of each. */
export async function inTurns<Key extends string>(
  pairs: readonly Pair[],
  count: number,
  ask: (pair: Pair) => Promise<Readonly<Record<Key, number>>>,
): Promise<readonly (readonly [Pair, Readonly<Record<Key, number>>])[]> {
  const rounds = new Map<Pair, Readonly<Record<Key, number>>[]>(pairs.map((pair) => [pair, []]));
  for (let round = 0; round < count; round += 1) {
    for (const pair of pairs) rounds.get(pair)!.push(await ask(pair));
  }
  return pairs.map((pair) => [pair, medianOf(rounds.get(pair)!)]);
}
