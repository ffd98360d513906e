import type { Subscription, SubscriptionProblem } from '../broker.ts';
import type { Handling } from '../consume/giving-up.ts';
import { Hands } from '../consume/hands.ts';
import { type ResolvedSubscribeOptions, tell } from '../consume/subscribe-options.ts';
import { noLongerAsked } from '../consume/subscriptions.ts';
import { BrokerUnavailableError } from '../errors.ts';
import { matches } from '../mqtt-server/topics.ts';
import type { MqttClient } from './module.ts';
import { connectOptions, type ResolvedMqttOptions } from './options.ts';
import { readPacket } from './read-packet.ts';
import { type Arrival, Unclaimed } from './unclaimed.ts';

/** The session outlives its connection for ever: 0xFFFFFFFF means "does not expire". */
const NEVER_EXPIRES_S = 0xffff_ffff;

interface Reader {
  /** As the broker is asked for it: `$share/group/readings/+`. */
  readonly filter: string;
  readonly options: ResolvedSubscribeOptions;
  readonly granted: PromiseWithResolvers<void>;
  readonly ended: PromiseWithResolvers<void>;
  /** New for each connection: what came over a lost one and has not begun comes again. */
  hands: Hands;
}

/**
 * A session at the broker, and those who read in it. The client reconnects by
 * itself; the broker then sends again what was not acknowledged.
 *
 * A PUBACK belongs to the connection the message came over: after a reconnect
 * the same packet id may name another message, and a late PUBACK would have
 * the broker forget one that nobody has handled. So a message whose connection
 * is gone is never acknowledged; it comes again.
 */
export class MqttSession {
  readonly #options: ResolvedMqttOptions;
  readonly #client: MqttClient;
  readonly #readers = new Map<string, Reader>();
  readonly #closing = new Set<Reader>();
  readonly #ended: () => void;
  readonly #unclaimed: Unclaimed;
  #connections = 0;
  #lastError: Error | undefined;

  /** `ended` hears that the last reader has closed, and the connection with it. */
  constructor(options: ResolvedMqttOptions, clientId: string, ended: () => void) {
    this.#options = options;
    this.#ended = ended;
    this.#unclaimed = new Unclaimed(options, (problem) => this.#tellAll(problem));
    const { cleanSession: clean, mqtt, protocolVersion, reconnectMs, url } = options;
    const expiry = clean ? {} : { sessionExpiryInterval: NEVER_EXPIRES_S };
    this.#client = mqtt.connect(url, {
      ...connectOptions(options),
      clientId,
      clean,
      reconnectPeriod: reconnectMs,
      resubscribe: false,
      ...(protocolVersion === 5 ? { properties: { ...expiry, receiveMaximum: 100 } } : {}),
    });
    this.#listen();
  }

  /** Resolves when the broker has granted it. */
  async subscribe(
    filter: string,
    options: ResolvedSubscribeOptions,
    handler: Handling,
  ): Promise<Subscription> {
    if (this.#readers.has(filter)) {
      throw new TypeError(
        `"${filter}" has been subscribed to already in group "${options.group}".`,
      );
    }
    const reader: Reader = {
      ...{ filter, options },
      ...{ granted: Promise.withResolvers<void>(), ended: Promise.withResolvers<void>() },
      hands: new Hands(handler, options, this.#options.clock),
    };
    this.#readers.set(filter, reader);
    this.#unclaimed.beginAnew();
    for (const arrival of this.#unclaimed.takeAll()) this.#handOver(arrival);
    if (this.#client.connected) this.#ask(reader);
    const subscription = { close: () => this.#close(reader) };
    await reader.granted.promise.catch(async (error: unknown) => {
      await subscription.close();
      throw error;
    });
    return subscription;
  }

  /** Ends all of it, also what the broker has not granted yet: that rejects. */
  async close(): Promise<void> {
    const readers = [...this.#readers.values()];
    for (const { filter, granted } of readers) granted.reject(noLongerAsked(filter));
    await Promise.all(readers.map((reader) => this.#close(reader)));
  }

  #listen(): void {
    const client = this.#client;
    client.handleMessage = (packet, done) => {
      const cameOver = this.#connections;
      const acknowledge = () => {
        if (packet.qos > 0 && cameOver === this.#connections && client.connected) {
          client.stream.write(pubackOf(packet.messageId ?? 0));
        }
      };
      // The client would read nothing more, answers to pings neither, until this one was handled.
      done(ACKNOWLEDGED_LATER);
      this.#handOver({ packet, acknowledge });
    };
    client.on('connect', () => {
      // Each time: a broker may say that it has the session, and not have a subscription any more.
      for (const reader of this.#readers.values()) this.#ask(reader);
      this.#unclaimed.beginAnew();
    });
    client.on('error', (error) => {
      this.#lastError = error;
    });
    client.on('close', () => {
      this.#connections += 1;
      this.#unclaimed.connectionLost();
      for (const reader of this.#readers.values()) {
        reader.hands = reader.hands.next();
        const what = `${this.#options.url} cannot be reached.`;
        const error = new BrokerUnavailableError(what, this.#lastError);
        if (!this.#closing.has(reader)) tell(reader.options, { kind: 'connection-lost', error });
      }
    });
  }

  #ask(reader: Reader): void {
    const { qos, url } = this.#options;
    this.#client.subscribe(reader.filter, { qos }, (error, granted) => {
      if (granted?.some((each) => each.qos >= 128) === true) {
        const what = `${url} does not accept the topic filter "${reader.filter}".`;
        reader.granted.reject(new TypeError(what));
      } else if (!error) reader.granted.resolve();
      // Any other error means that the connection was lost again; the next one subscribes.
    });
  }

  #handOver(arrival: Arrival): void {
    const { acknowledge, packet } = arrival;
    const reader = readerOf(packet.topic, this.#readers);
    // Not acknowledged: the broker keeps it.
    if (reader === undefined || this.#closing.has(reader)) {
      this.#unclaimed.add(arrival);
      return;
    }
    const message = readPacket(packet, this.#options, reader.options);
    // One at a time keeps the order; side by side there is none to keep.
    const lane = reader.options.concurrency === 1 ? { lane: packet.topic } : {};
    reader.hands.give(message, acknowledge, lane);
  }

  #tellAll(problem: SubscriptionProblem): void {
    for (const { options } of this.#readers.values()) tell(options, problem);
  }

  async #close(reader: Reader): Promise<void> {
    if (this.#closing.has(reader)) return await reader.ended.promise;
    this.#closing.add(reader);
    this.#unclaimed.beginAnew();
    const { leaveOnClose, session } = this.#options;
    const leaves = leaveOnClose && session === 'member';
    if ((leaves || reader.options.details?.unsubscribe === 'true') && this.#client.connected) {
      await new Promise<void>((resolve) => {
        this.#client.unsubscribe(reader.filter, () => resolve());
      });
    }
    await reader.hands.end();
    this.#readers.delete(reader.filter);
    // The others of this session may still be at work, over the same connection.
    if (this.#readers.size === 0) {
      this.#ended();
      await this.#unclaimed.end();
      await new Promise<void>((resolve) => this.#client.end(false, resolve));
    }
    reader.ended.resolve();
  }
}

/** What a shared subscription has before its topic. */
export const SHARED = /^\$share\/[^/+#]+\//;

/** Tells the client that `stream.write` will do it. */
const ACKNOWLEDGED_LATER = new Error('acknowledged later');

/** The four bytes are the same in MQTT 3.1.1 and 5. */
const pubackOf = (messageId: number) => Buffer.of(0x40, 2, messageId >> 8, messageId & 0xff);

/** Who asked for exactly this topic, else the first whose wildcards match. */
function readerOf(topic: string, readers: ReadonlyMap<string, Reader>): Reader | undefined {
  const exact = readers.get(topic);
  if (exact !== undefined) return exact;
  for (const reader of readers.values()) {
    if (matches(reader.filter.replace(SHARED, ''), topic)) return reader;
  }
  return undefined;
}
