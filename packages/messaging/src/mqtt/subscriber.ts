import type { Handler, Subscription } from '../broker.ts';
import { BrokerUnavailableError } from '../errors.ts';
import { handUntilHandled, type ResolvedSubscribeOptions } from '../redeliver.ts';
import type { MqttClient, MqttPublish } from './module.ts';
import { connectOptions, type ResolvedMqttOptions } from './options.ts';
import { messageOf } from './packets.ts';

/** The session outlives its connection for ever: 0xFFFFFFFF means "does not expire". */
const NEVER_EXPIRES_S = 0xffff_ffff;

/**
 * A group's persistent session. The client reconnects by itself; the broker
 * then sends again what was not acknowledged.
 *
 * A PUBACK belongs to the connection the message came over: after a reconnect
 * the same packet id may name another message, and a late PUBACK would have
 * the broker forget one that nobody has handled. So a message whose connection
 * is gone is never acknowledged; it comes again.
 */
export function subscribeMqtt(
  mqttOptions: ResolvedMqttOptions,
  topic: string,
  options: ResolvedSubscribeOptions,
  handler: Handler,
): Promise<Subscription> {
  const { mqtt, url, clock, reconnectMs } = mqttOptions;
  const closing = new AbortController();
  const client: MqttClient = mqtt.connect(url, {
    ...connectOptions(mqttOptions),
    clientId: `${options.group}:${topic}`,
    clean: false,
    reconnectPeriod: reconnectMs,
    resubscribe: true,
    properties: { sessionExpiryInterval: NEVER_EXPIRES_S, receiveMaximum: 100 },
  });
  let connection = 0;
  let lastError: Error | undefined;
  /** Messages are handled one after another, also when a reconnect brings one again meanwhile. */
  let tail: Promise<void> = Promise.resolve();

  client.handleMessage = (packet: MqttPublish, acknowledge) => {
    const cameOver = connection;
    tail = tail.then(async () => {
      if (cameOver !== connection || closing.signal.aborted) return;
      const message = messageOf(packet, clock.wallMs());
      try {
        await handUntilHandled(message, handler, options, clock, closing.signal);
      } catch {
        // Closed while it waited to try again: the broker keeps the message.
        return;
      }
      if (cameOver === connection && client.connected) acknowledge();
    });
  };
  client.on('error', (error) => {
    lastError = error;
  });
  client.on('close', () => {
    connection += 1;
    if (closing.signal.aborted) return;
    options.onProblem?.({
      kind: 'connection-lost',
      error: new BrokerUnavailableError(`${url} cannot be reached.`, lastError),
    });
  });

  const subscription: Subscription = {
    async close() {
      closing.abort(new Error('The subscription was closed.'));
      await tail;
      await new Promise<void>((resolve) => client.end(false, resolve));
    },
  };
  return new Promise((resolve, reject) => {
    client.on('connect', () => {
      client.subscribe(topic, { qos: 1 }, (error, granted) => {
        const refused = granted?.some(({ qos }) => qos >= 128) === true;
        if (refused) {
          void subscription.close();
          reject(new TypeError(`${url} does not accept the topic filter "${topic}".`));
        } else if (!error) resolve(subscription);
        // Any other error means that the connection was lost again; the next one subscribes.
      });
    });
  });
}
