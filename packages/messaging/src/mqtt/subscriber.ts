import type { Handler, Subscription } from '../broker.ts';
import { BrokerUnavailableError } from '../errors.ts';
import { Hands } from '../hands.ts';
import { type ResolvedSubscribeOptions, tell } from '../subscribe-options.ts';
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
  let lastError: Error | undefined;
  /** New for each connection: what came over a lost one and has not begun comes again. */
  let hands = new Hands(handler, options, clock);

  client.handleMessage = (packet: MqttPublish, acknowledge) => {
    const cameOver = hands;
    cameOver.give(
      messageOf(packet, clock.wallMs()),
      () => {
        if (cameOver === hands && client.connected) acknowledge();
      },
      { lane: topic },
    );
  };
  client.on('error', (error) => {
    lastError = error;
  });
  client.on('close', () => {
    hands = hands.next();
    if (closing.signal.aborted) return;
    tell(options, {
      kind: 'connection-lost',
      error: new BrokerUnavailableError(`${url} cannot be reached.`, lastError),
    });
  });

  const subscription: Subscription = {
    async close() {
      closing.abort(new Error('The subscription was closed.'));
      await hands.end();
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
