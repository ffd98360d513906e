/** What one worker did with one message, in microseconds of the database's clock. */
export interface Handling {
  readonly id: string;
  readonly key: string;
  readonly worker: number;
  readonly began: number;
  readonly ended: number | null;
}

/** Begun, and never ended: their worker was killed. */
export function unfinished(done: readonly Handling[]): readonly Handling[] {
  return done.filter(({ ended }) => ended === null);
}

/** Pairs of one key, the second of which began while the first was being handled. */
export function overlaps(done: readonly Handling[]): readonly (readonly [Handling, Handling])[] {
  const last = new Map<string, Handling>();
  return done.flatMap((next) => {
    const first = last.get(next.key);
    last.set(next.key, next);
    const both = first?.ended != null && first.ended > next.began;
    return both ? [[first, next] as const] : [];
  });
}

/** Ids whose first handling began before that of an earlier message of their key. */
export function outOfOrder(done: readonly Handling[]): readonly string[] {
  const lastOfKey = new Map<string, string>();
  return done.flatMap(({ id, key }) => {
    const late = id < (lastOfKey.get(key) ?? '');
    lastOfKey.set(key, id);
    return late ? [id] : [];
  });
}
