import type { Broker } from '../broker.ts';
import { givingUp } from '../consume/giving-up.ts';
import { resolveSubscribeOptions } from '../consume/subscribe-options.ts';
import { Subscriptions } from '../consume/subscriptions.ts';
import { topicProblem } from './deliveries.ts';
import { type RabbitBrokerOptions, resolveRabbitOptions } from './options.ts';
import { RabbitPublisher } from './publisher.ts';
import { RabbitSubscriber } from './subscriber.ts';

/**
 * RabbitMQ, through the `amqplib` package you hand in: a durable fanout exchange for each topic,
 * a durable queue `GROUP-TOPIC` for each group, publisher confirms, consumers that acknowledge
 * after the handler succeeded and come back after an outage.
 */
export function rabbitBroker(given: RabbitBrokerOptions): Broker {
  const options = resolveRabbitOptions(given);
  const publisher = new RabbitPublisher(options);
  const subscriptions = new Subscriptions();

  return {
    system: 'rabbitmq',
    connect: () => publisher.connect(),
    publish: (messages) => publisher.publish(messages),
    async subscribe(topic, how, handler) {
      const subscribing = resolveSubscribeOptions(how);
      const problem = topicProblem(topic);
      if (problem !== undefined) throw new TypeError(`Cannot subscribe to "${topic}": ${problem}.`);
      return subscriptions.join(
        new RabbitSubscriber(options, topic, subscribing, givingUp(handler, subscribing)),
        topic,
      );
    },
    async close() {
      await Promise.all([publisher.close(), subscriptions.close()]);
    },
  };
}
