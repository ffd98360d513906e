import type { Subscription, SubscriptionProblem } from '../broker.ts';
import type { Handling } from '../consume/giving-up.ts';
import { Hands } from '../consume/hands.ts';
import { type ResolvedSubscribeOptions, tell } from '../consume/subscribe-options.ts';
import { noLongerAsked } from '../consume/subscriptions.ts';
import { BrokerUnavailableError } from '../errors.ts';
import { matches } from '../mqtt-server/topics.ts';
import type { MqttClient, MqttPublish } from './module.ts';
import { connectOptions, type ResolvedMqttOptions } from './options.ts';
import { readPacket } from './read-packet.ts';
import { Receipts } from './receipts.ts';
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
 */
export class MqttSession {
  readonly #options: ResolvedMqttOptions;
  readonly #client: MqttClient;
  readonly #readers = new Map<string, Reader>();
  readonly #closing = new Set<Reader>();
  readonly #ended: () => void;
  readonly #unclaimed: Unclaimed;
  readonly #receipts: Receipts;
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
    this.#receipts = new Receipts(this.#client);
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
    const receive = (packet: MqttPublish) => {
      this.#handOver({ packet, ...this.#receipts.of(packet) });
    };
    client.handleMessage = (packet, done) => {
      // The client would read nothing more, answers to pings neither, until this one was handled.
      done(ACKNOWLEDGED_LATER);
      receive(packet);
    };
    // One of QoS 2 comes to the above when the client has acknowledged it already: then it is too late to say no.
    client.options.customHandleAcks = (_topic, _payload, packet, done) => {
      if (packet.qos !== 2) return done(0);
      done(ACKNOWLEDGED_LATER);
      receive(packet);
    };
    client.on('connect', ({ sessionPresent = false }) => {
      this.#receipts.connected(sessionPresent);
      // Each time: a broker may say that it has the session, and not have a subscription any more.
      for (const reader of this.#readers.values()) this.#ask(reader);
      this.#unclaimed.beginAnew();
    });
    client.on('error', (error) => {
      if (error !== ACKNOWLEDGED_LATER) this.#lastError = error;
    });
    client.on('close', () => {
      this.#receipts.connectionLost();
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
    const { acknowledge, ours, packet } = arrival;
    const reader = readerOf(packet.topic, this.#readers);
    // Not acknowledged: the broker keeps it.
    if (reader === undefined || this.#closing.has(reader)) {
      this.#unclaimed.add(arrival);
      return;
    }
    const message = readPacket(packet, this.#options, reader.options);
    // One at a time keeps the order; side by side there is none to keep.
    const lane = reader.options.concurrency === 1 ? { lane: packet.topic } : {};
    reader.hands.give(message, acknowledge, { ...lane, ours });
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

/** Tells the client that `Receipts` will do it. */
const ACKNOWLEDGED_LATER = new Error('acknowledged later');

/** Who asked for exactly this topic, else the first whose wildcards match. */
function readerOf(topic: string, readers: ReadonlyMap<string, Reader>): Reader | undefined {
  const exact = readers.get(topic);
  if (exact !== undefined) return exact;
  for (const reader of readers.values()) {
    if (matches(reader.filter.replace(SHARED, ''), topic)) return reader;
  }
  return undefined;
}
