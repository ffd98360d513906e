import type { RedisConnection } from '../../../redis/open-redis.ts';

/**
 * Makes entries look taken `idleMs` ago by that member: 0 keeps them from others, and so long as to count as
 * left behind has the next who looks take them. What is done with stays done with.
 */
export async function claimAgain(
  redis: RedisConnection,
  of: { readonly topic: string; readonly group: string; readonly member: string },
  ids: readonly string[],
  idleMs: number,
): Promise<void> {
  if (ids.length === 0) return;
  const { group, member, topic } = of;
  const what: [string, ...string[]] = ['XCLAIM', topic, group, member, '0', ...ids];
  await redis.run((client) => client.call(...what, 'IDLE', String(Math.ceil(idleMs)), 'JUSTID'));
}
