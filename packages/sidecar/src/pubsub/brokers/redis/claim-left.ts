import type { RedisConnection } from '../../../redis/open-redis.ts';
import type { Membership } from './membership.ts';
import { type Entry, entriesOf, type RawEntry } from './redis-entry.ts';

/** What is looked through. */
export interface Pending extends Pick<Membership, 'failedTo' | 'leftAfterMs' | 'member'> {
  readonly topic: string;
  readonly group: string;
  /** Entries at once. */
  readonly count: number;
}

/** Claims what has been left behind, as many at once as `count` says: of the whole group, or of its own name where failed ones stay. */
export async function* claimLeft(
  redis: RedisConnection,
  pending: Pending,
): AsyncGenerator<readonly Entry[]> {
  const { count, failedTo, group, leftAfterMs, member, topic } = pending;
  const call = (...args: [string, ...(string | number)[]]) =>
    redis.run((client) => client.callBuffer(...args));
  const idleMs = Math.ceil(leftAfterMs);
  if (failedTo === undefined) {
    let from = '0-0';
    do {
      const answer = await call(
        'XAUTOCLAIM',
        ...[topic, group, member, idleMs, from, 'COUNT', count],
      );
      const [next, raw] = answer as [Buffer, readonly (RawEntry | null)[]];
      from = next.toString();
      yield entriesOf(raw);
    } while (from !== '0-0');
    return;
  }
  for (let from = '-'; ; ) {
    const answer = await call(
      'XPENDING',
      ...[topic, group, 'IDLE', idleMs, from, '+', count, member],
    );
    const ids = (answer as readonly (readonly [Buffer])[]).map(([id]) => id.toString());
    if (ids.length === 0) return;
    const raw = await call('XCLAIM', topic, group, member, idleMs, ...ids);
    yield entriesOf(raw as unknown as readonly (RawEntry | null)[]);
    from = `(${ids.at(-1)}`;
  }
}
