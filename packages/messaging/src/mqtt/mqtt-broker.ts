import type { Broker } from '../broker.ts';
import { resolveSubscribeOptions } from '../subscribe-options.ts';
import { Subscriptions } from '../subscriptions.ts';
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
  const subscriptions = new Subscriptions();

  return {
    publish: (messages) => publisher.publish(messages),
    async subscribe(topic, how, handler) {
      return subscriptions.add(
        await subscribeMqtt(options, topic, resolveSubscribeOptions(how), handler),
      );
    },
    async close() {
      await Promise.all([publisher.close(), subscriptions.close()]);
    },
  };
}
