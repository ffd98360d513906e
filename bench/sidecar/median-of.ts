/** Of each figure the median over all rounds; there is at least one. */
export function medianOf<Key extends string>(
  rounds: readonly Readonly<Record<Key, number>>[],
): Readonly<Record<Key, number>> {
  const median = (key: Key) =>
    rounds.map((round) => round[key]).sort((a, b) => a - b)[rounds.length >> 1]!;
  const keys = Object.keys(rounds[0]!) as Key[];
  return Object.fromEntries(keys.map((key) => [key, median(key)])) as Record<Key, number>;
}
