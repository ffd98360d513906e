import type { Broker, Subscription } from '../broker.ts';
import { resolveSubscribeOptions } from '../redeliver.ts';
import { type MqttBrokerOptions, resolveMqttOptions } from './options.ts';
import { MqttPublisher } from './publisher.ts';
import { subscribeMqtt } from './subscriber.ts';

/**
 * An MQTT 5 broker, through the `mqtt` package you hand in. QoS 1; id, key and headers travel as
 * user properties. A group is one persistent session, so it has one member at a time.
 */
export function mqttBroker(given: MqttBrokerOptions): Broker {
  const options = resolveMqttOptions(given);
  const publisher = new MqttPublisher(options);
  const subscriptions = new Set<Subscription>();

  return {
    publish: (messages) => publisher.publish(messages),
    async subscribe(topic, how, handler) {
      const subscription = await subscribeMqtt(
        options,
        topic,
        resolveSubscribeOptions(how),
        handler,
      );
      subscriptions.add(subscription);
      return {
        close() {
          subscriptions.delete(subscription);
          return subscription.close();
        },
      };
    },
    async close() {
      await Promise.all([publisher.close(), ...[...subscriptions].map((each) => each.close())]);
      subscriptions.clear();
    },
  };
}
