import type { Broker } from '../broker.ts';
import { givingUp } from '../consume/giving-up.ts';
import { resolveSubscribeOptions } from '../consume/subscribe-options.ts';
import { Subscriptions } from '../consume/subscriptions.ts';
import { type KafkaBrokerOptions, resolveKafkaOptions } from './options.ts';
import { KafkaPublisher } from './publisher.ts';
import { topicProblem } from './records.ts';
import { KafkaSubscriber } from './subscriber.ts';

/**
 * Apache Kafka, through the `@platformatic/kafka` package you hand in: idempotent producer with
 * `acks=-1`; consumers that commit after the handler succeeded and come back after an outage.
 * Keys choose the partition, so order is kept per key for as long as a topic's partitions are.
 */
export function kafkaBroker(given: KafkaBrokerOptions): Broker {
  const options = resolveKafkaOptions(given);
  const publisher = new KafkaPublisher(options);
  const subscriptions = new Subscriptions();

  return {
    system: 'kafka',
    publish: (messages) => publisher.publish(messages),
    async subscribe(topic, how, handler) {
      const subscribing = resolveSubscribeOptions(how);
      const problem = topicProblem(topic);
      if (problem !== undefined)
        throw new TypeError(`"${topic}" cannot be subscribed to: ${problem}.`);
      return subscriptions.join(
        new KafkaSubscriber(options, topic, subscribing, givingUp(handler, subscribing)),
        topic,
      );
    },
    async close() {
      await Promise.all([publisher.close(), subscriptions.close()]);
    },
  };
}
