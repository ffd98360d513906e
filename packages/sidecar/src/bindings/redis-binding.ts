import type { ComponentSettings } from '../components/component-settings.ts';
import { messageTtlMs, ttlText } from '../pubsub/message-ttl.ts';
import { openRedis } from '../redis/open-redis.ts';
import { redisSettings } from '../redis/redis-settings.ts';
import type { BindingAnswer, BindingRequest, OutputBinding } from './binding.ts';

type Operation = (
  key: string,
  request: BindingRequest,
  signal?: AbortSignal,
) => Promise<BindingAnswer | undefined>;

/** A request without data says null. */
const NULL = Buffer.from('null');

/**
 * `bindings.redis`: the value at `key` of a request's metadata, as it is in Redis: no prefix, no layout.
 *
 * @throws Error for a Redis that does not answer, or metadata that cannot be.
 */
export async function redisBinding(settings: ComponentSettings): Promise<OutputBinding> {
  const redis = await openRedis(redisSettings(settings), { what: 'redis binding' });
  const operations: Readonly<Record<string, Operation>> = {
    async create(key, { data = NULL, metadata }, signal) {
      const seconds = lifetimeSeconds(metadata);
      await redis.run((client): Promise<unknown> => {
        if (seconds === undefined) return client.set(key, data);
        // Redis takes no life of 0 s, which is over at once.
        return seconds === 0 ? client.del(key) : client.set(key, data, 'EX', seconds);
      }, signal);
      return undefined;
    },
    async delete(key, _request, signal) {
      await redis.run((client) => client.del(key), signal);
      return undefined;
    },
    async get(key, { metadata }, signal) {
      const taken = metadata.delete === 'true';
      const value = await (taken
        ? redis.run((client) => client.getdelBuffer(key), signal)
        : redis.read((client) => client.getBuffer(key), signal));
      return { data: value ?? Buffer.alloc(0), metadata: {} };
    },
    async increment(key, { metadata }, signal) {
      const seconds = lifetimeSeconds(metadata);
      await redis.run((client) => client.incr(key), signal);
      if (seconds !== undefined) await redis.run((client) => client.expire(key, seconds), signal);
      return undefined;
    },
  };
  return {
    operations: Object.keys(operations),
    async invoke(request, signal) {
      const { key = '' } = request.metadata;
      if (key === '') throw new Error('redis binding: missing key in request metadata');
      return await operations[request.operation]!(key, request, signal);
    },
    async close() {
      redis.close();
    },
  };
}

/** @throws Error for what is no time to live, in Dapr's words. */
function lifetimeSeconds(metadata: Readonly<Record<string, string>>): number | undefined {
  const ttlMs = messageTtlMs(metadata);
  if (ttlMs !== undefined) return Math.floor(ttlMs / 1_000);
  const text = ttlText(metadata);
  if (text === '') return undefined;
  const rule = /^-\d+$/.test(text) ? 'higher than zero' : 'a valid integer';
  throw new Error(`ttl value must be ${rule}: actual is '${text}'`);
}
