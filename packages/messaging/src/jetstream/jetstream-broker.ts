import type { Broker } from '../broker.ts';
import { givingUp } from '../consume/giving-up.ts';
import { resolveSubscribeOptions } from '../consume/subscribe-options.ts';
import { Subscriptions } from '../consume/subscriptions.ts';
import { topicProblem } from './names.ts';
import { type JetStreamBrokerOptions, resolveJetStreamOptions } from './options.ts';
import { JetStreamPublisher } from './publisher.ts';
import { JetStreamSubscriber } from './subscriber.ts';

/**
 * NATS JetStream, through the `@nats-io` packages you hand in: a stream on disk, a subject for each
 * topic, a durable consumer for each group, publications that the stream acknowledged and knows
 * again by their id, members that acknowledge after the handler succeeded and come back after an outage.
 */
export function jetstreamBroker(given: JetStreamBrokerOptions): Broker {
  const options = resolveJetStreamOptions(given);
  const publisher = new JetStreamPublisher(options);
  const subscriptions = new Subscriptions();

  return {
    system: 'nats',
    publish: (messages) => publisher.publish(messages),
    async subscribe(topic, how, handler) {
      const subscribing = resolveSubscribeOptions(how);
      const problem = topicProblem(topic, options.subjectPrefix);
      if (problem !== undefined) throw new TypeError(`Cannot subscribe to "${topic}": ${problem}.`);
      return subscriptions.join(
        new JetStreamSubscriber(options, topic, subscribing, givingUp(handler, subscribing)),
        topic,
      );
    },
    async close() {
      await Promise.all([publisher.close(), subscriptions.close()]);
    },
  };
}
