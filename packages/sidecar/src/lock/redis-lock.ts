import type { Logger } from '@holdfast/telemetry/log';
import type { ComponentSettings } from '../components/component-settings.ts';
import { openRedis } from '../redis/open-redis.ts';
import { redisSettings } from '../redis/redis-settings.ts';
import type { LockStore, UnlockOutcome } from './lock-store.ts';

/** Looks whose it is and takes it away in one step. */
const UNLOCK = `
local owner = redis.call('GET', KEYS[1])
if not owner then return 'absent' end
if owner ~= ARGV[1] then return 'of-another' end
redis.call('DEL', KEYS[1])
return 'unlocked'
`;

/**
 * `lock.redis`: a text with the owner's name that lapses, as Dapr keeps it. One
 * Redis without replicas, or the master that sentinels name, as in Dapr: a lock
 * that its replica has not heard of is given twice after a failover, which the
 * log says then.
 *
 * @throws Error for a Redis that does not answer, or has replicas, and for metadata that cannot be.
 */
export async function redisLock(settings: ComponentSettings, log: Logger): Promise<LockStore> {
  const parsed = redisSettings(settings, { olderNames: true });
  if (parsed.kind === 'cluster') {
    throw new Error(
      'locks need one Redis that nobody takes over from: redisType: cluster is not supported',
    );
  }
  if (parsed.kind === 'sentinel') {
    log.warn(
      `component ${settings.component}: when sentinels choose another master, a lock that it has not heard of yet may be given twice.`,
    );
  }
  const redis = await openRedis(parsed, { what: '[standaloneRedisLock]' });
  // A Redis that does not say how it replicates is taken at its word, as in Dapr.
  const info = await redis.run((client) => client.info('replication')).catch(() => '');
  const replicas = Number(/connected_slaves:(\d+)/.exec(info)?.[1] ?? 0);
  if (replicas > 0 && parsed.kind === 'node') {
    redis.close();
    throw new Error(
      `locks need one Redis that nobody takes over from: this one has ${replicas} replicas`,
    );
  }
  return {
    async tryLock(resource, owner, expirySeconds, signal) {
      // One that comes when its owner has been told of a failure would be in everybody's way, the next attempt's too.
      const giveBack = (answer: 'OK' | null) => {
        if (answer !== 'OK') return;
        redis.run((client) => client.eval(UNLOCK, 1, resource, owner)).catch(() => {});
      };
      const answer = await redis.run(
        (client) => client.set(resource, owner, 'EX', expirySeconds, 'NX'),
        signal,
        giveBack,
      );
      return answer === 'OK';
    },
    async unlock(resource, owner, signal) {
      return (await redis.run(
        (client) => client.eval(UNLOCK, 1, resource, owner),
        signal,
      )) as UnlockOutcome;
    },
    async close() {
      redis.close();
    },
  };
}
