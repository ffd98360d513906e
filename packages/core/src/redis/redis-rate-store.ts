import { checkMethods, checkName, checkOptions } from '../check.ts';
import type { RateStore } from '../rate-limit/rate-store.ts';
import type { RedisClient } from './client.ts';

/** As `turns.ts` keeps a token bucket, in milliseconds of Redis' clock. Answers with text: numbers lose their fraction. */
const TOKEN_BUCKET = `
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local every = ARGV[2] / ARGV[1]
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + every
local wait = math.max(0, full - ARGV[3] * every - now)
if wait > ARGV[4] + 0.000001 then return {0, tostring(wait)} end
redis.call('SET', KEYS[1], string.format('%.6f', full), 'PX', math.ceil(full - now) + 1)
return {1, tostring(wait)}
`;

/** The moments of the turns of the last interval, those to come included. */
const SLIDING_WINDOW = `
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local limit, interval = tonumber(ARGV[1]), tonumber(ARGV[2])
local at = now
if redis.call('LLEN', KEYS[1]) >= limit then
  at = math.max(now, redis.call('LINDEX', KEYS[1], -limit) + interval)
end
local wait = at - now
if wait > tonumber(ARGV[4]) then return {0, tostring(wait)} end
redis.call('RPUSH', KEYS[1], string.format('%.6f', at))
redis.call('LTRIM', KEYS[1], -limit, -1)
redis.call('PEXPIRE', KEYS[1], math.ceil(wait + interval) + 1)
return {1, tostring(wait)}
`;

/**
 * Shares rates over processes in Redis (7 or later; 5 with script effects
 * replication). One key a rate, gone by itself when the rate is idle; all
 * moments are of Redis' clock. The client is the caller's, and so are its
 * time-outs; let it fail fast (`enableOfflineQueue: false`) rather than queue.
 *
 * @param prefix of the keys. @default 'holdfast:rate:'
 */
export function redisRateStore(
  client: RedisClient,
  options: { readonly prefix?: string } = {},
): RateStore {
  checkOptions('redisRateStore', options, { prefix: 0 });
  const { prefix = 'holdfast:rate:' } = options;
  checkMethods('redisRateStore.client', client ?? null, 'eval');
  checkName('redisRateStore.prefix', prefix);
  return {
    async take(key, { algorithm, limit, intervalMs, burst, maxWaitMs }) {
      const script = algorithm === 'token-bucket' ? TOKEN_BUCKET : SLIDING_WINDOW;
      // A window's list is no bucket's number: a rule that changes its kind begins anew.
      const name = `${prefix}${algorithm}:${key}`;
      const answer = await client.eval(script, 1, name, limit, intervalMs, burst, maxWaitMs);
      const [taken, waitMs] = answer as [number, string];
      return { taken: taken === 1, waitMs: Number(waitMs) };
    },
  };
}
