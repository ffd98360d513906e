import type { ComponentSettings } from '../components/component-settings.ts';
import type { ComponentsEnv } from '../components/open-components.ts';
import { openRedis, type RedisConnection } from '../redis/open-redis.ts';
import { redisSettings } from '../redis/redis-settings.ts';
import type {
  ConfigurationItem,
  ConfigurationItems,
  ConfigurationStore,
} from './configuration-store.ts';
import { KeyWatch } from './redis-key-watch.ts';
import { MOST_SEEN } from './seen-items.ts';

/** Keys asked for at once. */
const BATCH = 500;

/**
 * `configuration.redis`: texts, with their version behind `||` where they have
 * one. Changes come as Redis' keyspace notifications.
 *
 * @throws Error for a Redis that does not answer, or metadata that cannot be.
 */
export async function redisConfiguration(
  settings: ComponentSettings,
  env: Pick<ComponentsEnv, 'clock' | 'log'>,
): Promise<ConfigurationStore> {
  const redis = await openRedis(redisSettings(settings), { what: 'redis store' });
  const items = async (keys: readonly string[]) => {
    if (keys.length > 0) return await read(redis, keys);
    // Counted first: a database that a state store shares may have millions.
    if ((await redis.read((client) => client.dbsize())) > MOST_SEEN) return undefined;
    return await read(redis, await allKeys(redis, undefined));
  };
  let watching: Promise<KeyWatch> | undefined;
  return {
    async get(keys, signal) {
      return await read(redis, keys.length === 0 ? await allKeys(redis, signal) : keys, signal);
    },
    async subscribe(keys, changed, signal) {
      if (redis.settings.kind === 'cluster') {
        throw new Error('each node of a cluster tells of its own keys only: no subscriptions');
      }
      watching ??= KeyWatch.open(redis, items, env).catch((error: unknown) => {
        watching = undefined;
        throw error;
      });
      await (await watching).add(keys, changed, signal);
    },
    async close() {
      await watching?.then((watch) => watch.close()).catch(() => {});
      redis.close();
    },
  };
}

async function allKeys(
  redis: RedisConnection,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const keys = new Set<string>();
  let cursor = '0';
  do {
    const [next, found] = await redis.read(async (client) => {
      const answer = await client.call('SCAN', cursor, 'COUNT', BATCH);
      return answer as [string, string[]];
    }, signal);
    for (const key of found) keys.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...keys];
}

async function read(
  redis: RedisConnection,
  keys: readonly string[],
  signal?: AbortSignal,
): Promise<ConfigurationItems> {
  const found: [string, ConfigurationItem][] = [];
  for (let at = 0; at < keys.length; at += BATCH) {
    const some = keys.slice(at, at + BATCH);
    const values = await Promise.all(some.map((key) => textOf(redis, key, signal)));
    for (const [n, value] of values.entries()) {
      const item = itemOf(value);
      if (item !== undefined) found.push([some[n]!, item]);
    }
  }
  found.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(found);
}

async function textOf(
  redis: RedisConnection,
  key: string,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  try {
    return await redis.read((client) => client.get(key), signal);
  } catch (error) {
    if (signal?.aborted) throw error;
    const { message } = error as Error;
    // A key of another kind is nobody's configuration.
    if (message.startsWith('WRONGTYPE')) return null;
    throw new Error(`fail to get configuration for redis key=${key}, error is ${message}`, {
      cause: error,
    });
  }
}

/** `value||version`; an empty value is none, as in Dapr. */
function itemOf(text: string | null): ConfigurationItem | undefined {
  const [value = '', version = ''] = (text ?? '').split('||');
  if (value === '') return undefined;
  return version === '' ? { value } : { value, version };
}
