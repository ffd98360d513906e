import type { CacheStore } from '../cache/cache-store.ts';
import { checkFunction, checkMethods, checkName, checkOptions } from '../check.ts';
import type { RedisClient } from './client.ts';

export interface RedisCacheStoreOptions {
  /** Goes before each key. @default 'holdfast:cache:' */
  readonly prefix?: string;
  /** Makes text of an answer. @default JSON.stringify */
  readonly serialize?: (value: unknown) => string;
  /** Makes an answer of the text. One that throws counts as a store that fails. @default JSON.parse */
  readonly parse?: (text: string) => unknown;
}

const GET = `
local kept = redis.call('GET', KEYS[1])
if not kept then return false end
return { kept, redis.call('PTTL', KEYS[1]) }
`;

const SET = `redis.call('SET', KEYS[1], ARGV[2] .. ':' .. ARGV[1], 'PX', ARGV[2])`;

const DELETE = `redis.call('UNLINK', KEYS[1])`;

/** A step of `clear`: looks at about a thousand keys, so that nobody else has to wait for long. */
const CLEAR = `
local found = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', 1000)
for _, key in ipairs(found[2]) do redis.call('UNLINK', key) end
return found[1]
`;

const COUNT_MASTERS = `
local seen, count = {}, 0
for _, range in ipairs(redis.call('CLUSTER', 'SLOTS')) do
  local id = range[3][3]
  if not seen[id] then count = count + 1 end
  seen[id] = true
end
return count
`;

/**
 * Keeps answers in Redis, one key an answer, gone by itself when it is of no
 * more use. The client is the caller's; let it fail fast
 * (`maxRetriesPerRequest: 1`) rather than queue. `clear` looks at every key
 * there is, a thousand at a time, in a cluster at each master.
 */
export function redisCacheStore(
  client: RedisClient,
  options: RedisCacheStoreOptions = {},
): CacheStore {
  checkOptions('redisCacheStore', options, { prefix: 0, serialize: 0, parse: 0 });
  const { prefix = 'holdfast:cache:', serialize = JSON.stringify, parse = JSON.parse } = options;
  checkMethods('redisCacheStore.client', client ?? null, 'eval');
  checkName('redisCacheStore.prefix', prefix);
  checkFunction('redisCacheStore.serialize', serialize);
  checkFunction('redisCacheStore.parse', parse);
  return {
    async get(key) {
      const found = await client.eval(GET, 1, prefix + key);
      if (found === null) return undefined;
      const [kept, leftMs] = found as [string, number];
      // How long it was to be kept stands before it: the time that is over is its age.
      const colon = kept.indexOf(':');
      const ageMs = Math.max(0, Number(kept.slice(0, colon)) - leftMs);
      return { value: parse(kept.slice(colon + 1)), ageMs };
    },
    async set(key, value, keepMs) {
      const text = serialize(value);
      // `undefined` and functions have no JSON: nothing is kept of them.
      if (typeof text !== 'string' || keepMs < 1) return;
      await client.eval(SET, 1, prefix + key, text, Math.floor(keepMs));
    },
    async delete(key) {
      await client.eval(DELETE, 1, prefix + key);
    },
    async clear(start) {
      const pattern = `${(prefix + start).replace(/[*?[\]\\]/g, '\\$&')}*`;
      const masters = await mastersOf(client, prefix);
      await Promise.all(masters.map((master) => clearNode(master, pattern)));
    },
  };
}

async function clearNode(client: RedisClient, pattern: string): Promise<void> {
  let cursor = '0';
  do cursor = String(await client.eval(CLEAR, 0, cursor, pattern));
  while (cursor !== '0');
}

/** Where there are keys: at each master of a cluster, or at the one server that there is. */
async function mastersOf(client: RedisClient, anyKey: string): Promise<readonly RedisClient[]> {
  if (client.nodes === undefined) return [client];
  // Asked first: the client of a cluster knows no master until it has met one.
  const count = Number(await client.eval(COUNT_MASTERS, 1, anyKey));
  const masters = client.nodes('master');
  if (masters.length >= count) return masters;
  const known = `its client knows ${masters.length} of the cluster's ${count} masters`;
  throw new Error(`redisCacheStore.clear would leave answers: ${known}. Try again later.`);
}
