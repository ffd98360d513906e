import type { Broker } from '../broker.ts';
import { givingUp } from '../consume/giving-up.ts';
import { resolveSubscribeOptions } from '../consume/subscribe-options.ts';
import { type MqttBrokerOptions, resolveMqttOptions } from './options.ts';
import { MqttPublisher } from './publisher.ts';
import { MqttSubscriber } from './subscriber.ts';

/**
 * An MQTT broker (5, or 3.1.1), through the `mqtt` package you hand in. Id, key and headers travel
 * as user properties. A group is one persistent session, so it has one member at a time, unless
 * `session: 'member'` shares it.
 */
export function mqttBroker(given: MqttBrokerOptions): Broker {
  const options = resolveMqttOptions(given);
  const publisher = new MqttPublisher(options);
  const subscriber = new MqttSubscriber(options);

  return {
    system: 'mqtt',
    connect: () => publisher.connect(),
    publish: (messages) => publisher.publish(messages),
    async subscribe(topic, how, handler) {
      const subscribing = resolveSubscribeOptions(how);
      return await subscriber.subscribe(topic, subscribing, givingUp(handler, subscribing));
    },
    async close() {
      await Promise.all([publisher.close(), subscriber.close()]);
    },
  };
}
