import type { RedisConnection } from '../../../redis/open-redis.ts';

/**
 * Makes entries look taken `idleMs` ago by the member that has them: 0 keeps them from others,
 * `processingTimeout` has the next who looks take them. What is done with stays done with.
 */
export async function claimAgain(
  redis: RedisConnection,
  of: { readonly topic: string; readonly consumerId: string },
  ids: readonly string[],
  idleMs: number,
): Promise<void> {
  if (ids.length === 0) return;
  const { consumerId, topic } = of;
  const what: [string, ...string[]] = ['XCLAIM', topic, consumerId, consumerId, '0', ...ids];
  await redis.run((client) => client.call(...what, 'IDLE', String(Math.ceil(idleMs)), 'JUSTID'));
}
