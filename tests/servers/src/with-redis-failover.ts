import type { TestContext } from 'node:test';
import { type RedisServer, redisSentinel, redisServer } from './redis.ts';
import { withServer } from './with-server.ts';

/** A Redis to fall over from. */
export interface RedisFailover {
  /** Follows the master. */
  readonly replica: RedisServer;
  /** Names the master, as `main`. */
  readonly sentinel: RedisServer;
}

/** As `withServer`: a master, one that follows it, and a sentinel that watches both. */
export async function withRedisFailover(
  t: Pick<TestContext, 'skip' | 'after'>,
): Promise<RedisFailover | undefined> {
  const master = await withServer(t, redisServer);
  if (master === undefined) return undefined;
  const replica = await withServer(t, () =>
    redisServer(['--replicaof', `127.0.0.1 ${master.port}`]),
  );
  const sentinel = await withServer(t, () => redisSentinel('main', master.port));
  return replica && sentinel && { replica, sentinel };
}
