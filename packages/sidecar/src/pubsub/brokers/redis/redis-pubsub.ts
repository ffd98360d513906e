import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import type { ComponentSettings } from '../../../components/component-settings.ts';
import { openRedis } from '../../../redis/open-redis.ts';
import { redisSettings } from '../../../redis/redis-settings.ts';
import type { PubSub, PubSubMessage } from '../../pubsub.ts';
import { Permits } from './permits.ts';
import { RedisConsumer } from './redis-consumer.ts';
import { fieldsOf } from './redis-entry.ts';
import { redisPubSubSettings } from './redis-pubsub-settings.ts';

export interface RedisPubSubEnv {
  readonly appId: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * `pubsub.redis`: a stream per topic, a group per consumer id, entries as Dapr
 * writes them. An event whose handler fails stays with the broker and is handed
 * over again, here or to another of the group, when `processingTimeout` is over.
 *
 * @throws Error for a Redis that does not answer, or metadata that cannot be.
 */
export async function redisPubSub(
  settings: ComponentSettings,
  { clock, log, ...names }: RedisPubSubEnv,
): Promise<PubSub> {
  const own = redisPubSubSettings(settings, names);
  const redis = await openRedis(redisSettings(settings), { what: 'redis streams' });
  const permits = new Permits(own.concurrency);
  const consumers = new Set<RedisConsumer>();

  const trim = (): readonly (string | number)[] => {
    // One or the other: Redis takes one, and a length is the stronger promise.
    if (own.maxLength > 0) return ['MAXLEN', '~', own.maxLength];
    if (own.streamTtlMs <= 0) return [];
    return ['MINID', '~', `${Math.floor(clock.wallMs() - own.streamTtlMs)}-1`];
  };
  const entry = (topic: string, message: PubSubMessage) => [
    topic,
    ...trim(),
    '*',
    ...fieldsOf(message),
  ];
  return {
    capabilities: [],
    async publish(topic, message, signal) {
      const args = entry(topic, message);
      await redis
        .run((client) => client.callBuffer('XADD', args), signal)
        .catch((cause: Error) => {
          throw signal?.aborted ? cause : publishError(cause);
        });
    },
    async publishAll(topic, messages, signal) {
      const answers = await redis
        .run(async (client) => {
          const pipeline = client.pipeline();
          for (const message of messages) pipeline.callBuffer('XADD', entry(topic, message));
          const all = (await pipeline.exec()) ?? [];
          // Where none went through it may be that none was sent: `run` knows what to do then.
          const [[first] = [null]] = all;
          if (first !== null && all.every(([error]) => error !== null)) throw first;
          return all;
        }, signal)
        .catch((cause: Error) => {
          throw signal?.aborted ? cause : publishError(cause);
        });
      return answers.map(([error]) => (error === null ? undefined : publishError(error)));
    },
    async subscribe(topic, handler, _details, gather = 1) {
      const gathers = gather > 1;
      const consumer = new RedisConsumer({
        ...{ topic, handler, gathers, settings: own, redis, permits, clock, log },
      });
      consumers.add(consumer);
      await consumer.start();
      return {
        async close() {
          await consumer.drain();
          consumers.delete(consumer);
        },
      };
    },
    async drain() {
      await Promise.all([...consumers].map((consumer) => consumer.drain()));
    },
    async close() {
      for (const consumer of consumers) consumer.stop();
      redis.close();
    },
  };
}

function publishError(cause: Error): Error {
  return new Error(`redis streams: error from publish: ${cause.message}`, { cause });
}
