import type { Broker } from '../broker.ts';
import { givingUp } from '../consume/giving-up.ts';
import { resolveSubscribeOptions } from '../consume/subscribe-options.ts';
import { Subscriptions } from '../consume/subscriptions.ts';
import { topicProblem } from './names.ts';
import { type RedisStreamsBrokerOptions, resolveRedisStreamsOptions } from './options.ts';
import { RedisStreamsPublisher } from './publisher.ts';
import { RedisStreamsSubscriber } from './subscriber.ts';

/**
 * Redis Streams (6.2 or later), through the `ioredis` package you hand in: a stream for each topic,
 * a consumer group of it for each group. One stream and not several by key: members of a group with
 * a concurrency of 1 take turns, one at work and the others ready to take over, which keeps the
 * order of a whole topic with one key that lapses. Members that share the work of an ordered topic
 * would need streams by key and an owner for each; that is Kafka, which does it better.
 */
export function redisStreamsBroker(given: RedisStreamsBrokerOptions): Broker {
  const options = resolveRedisStreamsOptions(given);
  const publisher = new RedisStreamsPublisher(options);
  const subscriptions = new Subscriptions();

  return {
    publish: (messages) => publisher.publish(messages),
    async subscribe(topic, how, handler) {
      const subscribing = resolveSubscribeOptions(how);
      const problem = topicProblem(topic);
      if (problem !== undefined) throw new TypeError(`Cannot subscribe to "${topic}": ${problem}.`);
      return subscriptions.join(
        new RedisStreamsSubscriber(options, topic, subscribing, givingUp(handler, subscribing)),
        topic,
      );
    },
    async close() {
      await Promise.all([publisher.close(), subscriptions.close()]);
    },
  };
}
