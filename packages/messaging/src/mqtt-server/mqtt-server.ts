import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { IConnectPacket, IPublishPacket, ISubscribePacket, Packet } from 'mqtt-packet';
import { checkInteger } from '../check.ts';
import { Link } from './link.ts';
import { publishOf, Session } from './session.ts';
import { type Routed, SessionStore } from './session-store.ts';
import { isFilter, matches, topicProblem } from './topics.ts';

export interface MqttServerOptions {
  /** Directory of its database; made when missing. */
  readonly dataDir: string;
  /** On 127.0.0.1. @default 1883 (0 … 65_535; 0 takes any free one) */
  readonly port?: number;
  /** Larger packets are refused with reason 149. @default 1_048_576 (1_024 …) */
  readonly maxPacketBytes?: number;
  /** Messages that wait for one client; more are refused with reason 151. @default 1_000_000 (1 …) */
  readonly maxQueued?: number;
  /** Sessions kept, connected or not; more are refused with reason 137. @default 1_000 (1 …) */
  readonly maxSessions?: number;
  /** Topics with a retained message; those of more are refused with reason 151. @default 10_000 (1 …) */
  readonly maxRetained?: number;
}

export const MQTT_SERVER_DEFAULTS = {
  port: 1883,
  maxPacketBytes: 1_048_576,
  maxQueued: 1_000_000,
  maxSessions: 1_000,
  maxRetained: 10_000,
} as const;

export interface MqttServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** MQTT 5 reason codes this broker answers with. */
const NO_SUBSCRIBER = 16;
const UNSPECIFIED = 128;
const BAD_VERSION = 132;
const BUSY = 137;
const TAKEN_OVER = 142;
const FILTER_INVALID = 143;
const TOPIC_INVALID = 144;
const TOO_LARGE = 149;
const QUOTA = 151;
const QOS_NOT_SUPPORTED = 155;

interface PendingPublish {
  readonly link: Link;
  readonly packet: IPublishPacket;
}

/**
 * A small durable MQTT 5 (and 3.1.1) broker for one machine: QoS 0 and 1, persistent sessions,
 * retained messages. A PUBACK is sent after the message is on disk in the queue of every session
 * that wants it; all publishes of one turn of the event loop share a commit. Queues are delivered
 * in order, through disconnects and restarts. No QoS 2, wills, shared subscriptions or passwords.
 */
export async function startMqttServer(given: MqttServerOptions): Promise<MqttServer> {
  const options = { ...MQTT_SERVER_DEFAULTS, ...given };
  checkInteger('mqttServer.port', options.port, 0, 65_535);
  checkInteger('mqttServer.maxPacketBytes', options.maxPacketBytes, 1_024, 2 ** 28);
  checkInteger('mqttServer.maxQueued', options.maxQueued, 1, Number.MAX_SAFE_INTEGER);
  checkInteger('mqttServer.maxSessions', options.maxSessions, 1, 1_000_000);
  checkInteger('mqttServer.maxRetained', options.maxRetained, 1, Number.MAX_SAFE_INTEGER);
  mkdirSync(options.dataDir, { recursive: true });
  const broker = new MqttServerCore(options);
  await broker.listen(options.port);
  return broker;
}

class MqttServerCore implements MqttServer {
  readonly #options: Required<MqttServerOptions>;
  readonly #store: SessionStore;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #sessions = new Map<string, Session>();
  /** Topics that have a retained message. */
  readonly #retained: Set<string>;
  #publishes: PendingPublish[] = [];
  #acknowledged: { session: Session; seq: number }[] = [];
  #committing = false;

  constructor(options: Required<MqttServerOptions>) {
    this.#options = options;
    this.#store = new SessionStore(join(options.dataDir, 'mqtt-broker.db'));
    for (const { session, client, depth, filters } of this.#store.load()) {
      const stored = { number: session, client, durable: true, depth };
      this.#sessions.set(client, new Session(this.#store, stored, filters));
    }
    this.#retained = new Set(this.#store.retainedTopics());
    this.#server = createServer({ noDelay: true }, (socket) => this.#welcome(socket));
    this.#server.maxConnections = options.maxSessions;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#commit();
    for (const link of this.#links) link.destroy();
    await closed;
    this.#store.close();
  }

  #welcome(socket: Socket): void {
    let session: Session | undefined;
    const link = new Link(socket, this.#options.maxPacketBytes, (packet) => {
      try {
        if (packet.cmd === 'connect' && session === undefined)
          session = this.#connect(link, packet);
        else if (session === undefined) link.destroy();
        else this.#receive(link, session, packet);
      } catch {
        // The disk failed: whoever asked must not believe that it was done. It connects again.
        link.destroy();
      }
    });
    this.#links.add(link);
    socket.on('close', () => {
      this.#links.delete(link);
      if (session?.link === link) this.#disconnected(session);
    });
  }

  #connect(link: Link, packet: IConnectPacket): Session | undefined {
    link.greet(packet);
    const expiryS = packet.properties?.sessionExpiryInterval ?? 0;
    const durable = link.isV5 ? expiryS > 0 : packet.clean === false;
    const client = packet.clientId === '' ? `anonymous-${crypto.randomUUID()}` : packet.clientId;
    const old = this.#sessions.get(client);
    const refusal = packet.protocolVersion === 3 ? BAD_VERSION : this.#refusal(old);
    if (refusal !== undefined) {
      link.send({ cmd: 'connack', sessionPresent: false, reasonCode: refusal, returnCode: 3 });
      link.end();
      return undefined;
    }
    if (old?.link !== undefined) {
      if (old.link.isV5) old.link.send({ cmd: 'disconnect', reasonCode: TAKEN_OVER });
      old.link.end();
      old.link = undefined;
    }
    const resumed = old !== undefined && packet.clean === false && old.durable && durable;
    if (old !== undefined && !resumed) this.#drop(old);
    const session = resumed ? old : this.#add(client, durable);
    session.attach(link);
    link.send({
      cmd: 'connack',
      sessionPresent: resumed,
      reasonCode: 0,
      returnCode: 0,
      properties: {
        maximumQoS: 1,
        maximumPacketSize: this.#options.maxPacketBytes,
        sharedSubscriptionAvailable: false,
        subscriptionIdentifiersAvailable: false,
        ...(packet.clientId === '' ? { assignedClientIdentifier: client } : {}),
      },
    });
    link.ready = true;
    session.pump();
    return session;
  }

  #refusal(old: Session | undefined): number | undefined {
    const full = old === undefined && this.#sessions.size >= this.#options.maxSessions;
    return full ? BUSY : undefined;
  }

  #receive(link: Link, session: Session, packet: Packet): void {
    switch (packet.cmd) {
      case 'publish':
        this.#publishes.push({ link, packet });
        this.#commitSoon();
        return;
      case 'puback': {
        const seq = session.acknowledge(packet.messageId ?? 0);
        if (seq === undefined) return;
        this.#acknowledged.push({ session, seq });
        this.#commitSoon();
        return;
      }
      case 'subscribe':
        this.#subscribe(link, session, packet);
        return;
      case 'unsubscribe':
        this.#store.dropFilters(session.number, packet.unsubscriptions);
        for (const filter of packet.unsubscriptions) session.filters.delete(filter);
        link.send({
          cmd: 'unsuback',
          messageId: packet.messageId ?? 0,
          granted: packet.unsubscriptions.map(() => 0),
        });
        return;
      case 'pingreq':
        link.send({ cmd: 'pingresp' });
        return;
      case 'disconnect':
        link.end();
        return;
      default:
        link.destroy();
    }
  }

  #subscribe(link: Link, session: Session, packet: ISubscribePacket): void {
    const good = packet.subscriptions.filter(({ topic }) => isFilter(topic));
    const filters = good.map(({ topic, qos }) => [topic, qos === 0 ? 0 : 1] as const);
    this.#store.addFilters(session.number, filters);
    for (const [filter, qos] of filters) session.filters.set(filter, qos);
    const granted = packet.subscriptions.map(({ topic, qos }) =>
      isFilter(topic) ? Math.min(qos, 1) : link.isV5 ? FILTER_INVALID : UNSPECIFIED,
    );
    link.send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted });
    for (const retained of this.#store.retained()) {
      if (!filters.some(([filter]) => matches(filter, retained.topic))) continue;
      link.sendIfRoom({ ...publishOf(retained), retain: true });
    }
  }

  #commitSoon(): void {
    if (this.#committing) return;
    this.#committing = true;
    setImmediate(() => {
      this.#committing = false;
      this.#commit();
    });
  }

  /** One transaction for all that came in this turn; only then is anybody told. */
  #commit(): void {
    const publishes = this.#publishes.map((pending) => ({ ...pending, ...this.#route(pending) }));
    const acknowledged = this.#acknowledged;
    this.#publishes = [];
    this.#acknowledged = [];
    const kept = publishes.filter(({ reasonCode }) => reasonCode < UNSPECIFIED);
    try {
      this.#store.commit(
        kept.map(({ routed }) => routed),
        acknowledged.map(({ seq }) => seq),
      );
    } catch {
      // The disk failed: nothing was kept, so nothing is acknowledged. Clients come back and resend.
      for (const { link } of publishes) link.destroy();
      for (const { session } of acknowledged) session.link?.destroy();
      return;
    }
    for (const { routed } of kept) this.#noteRetained(routed);
    for (const { session } of acknowledged) session.depth -= 1;
    const touched = new Set(acknowledged.map(({ session }) => session));
    for (const { link, packet, reasonCode, targets, routed } of publishes) {
      if (packet.qos === 1) this.#answer(link, packet.messageId ?? 0, reasonCode);
      if (reasonCode >= UNSPECIFIED) continue;
      for (const { session, qos } of targets) {
        if (qos === 0) session.link?.sendIfRoom(publishOf(routed));
        else {
          session.depth += 1;
          touched.add(session);
        }
      }
    }
    for (const session of touched) session.pump();
  }

  #noteRetained({ payload, retain, topic }: Routed): void {
    if (!retain) return;
    if (payload.byteLength === 0) this.#retained.delete(topic);
    else this.#retained.add(topic);
  }

  #answer(link: Link, messageId: number, reasonCode: number): void {
    // MQTT 3.1.1 knows no refusal: the connection is closed in its place.
    if (reasonCode >= UNSPECIFIED && !link.isV5) link.destroy();
    else link.send({ cmd: 'puback', messageId, reasonCode });
  }

  #route({ packet }: PendingPublish) {
    const targets: { readonly session: Session; readonly qos: 0 | 1 }[] = [];
    for (const session of this.#sessions.values()) {
      const wanted = [...session.filters].filter(([filter]) => matches(filter, packet.topic));
      if (wanted.length === 0) continue;
      const most = wanted.some(([, qos]) => qos === 1) ? 1 : 0;
      targets.push({ session, qos: packet.qos === 0 ? 0 : most });
    }
    const queues = targets.filter(({ qos }) => qos === 1).map(({ session }) => session);
    const routed: Routed = {
      topic: packet.topic,
      payload: typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload,
      properties: forwarded(packet),
      retain: packet.retain,
      sessions: queues.map(({ number }) => number),
    };
    return { targets, routed, reasonCode: this.#verdict(packet, routed, queues, targets.length) };
  }

  #verdict(
    packet: IPublishPacket,
    routed: Routed,
    queues: readonly Session[],
    targets: number,
  ): number {
    if (packet.qos === 2) return QOS_NOT_SUPPORTED;
    if (topicProblem(packet.topic) !== undefined) return TOPIC_INVALID;
    if (routed.payload.byteLength > this.#options.maxPacketBytes) return TOO_LARGE;
    if (queues.some(({ depth }) => depth >= this.#options.maxQueued)) return QUOTA;
    const { maxRetained } = this.#options;
    const isNew = routed.retain && routed.payload.byteLength > 0;
    if (isNew && !this.#retained.has(routed.topic) && this.#retained.size >= maxRetained)
      return QUOTA;
    return targets === 0 ? NO_SUBSCRIBER : 0;
  }

  #add(client: string, durable: boolean): Session {
    const number = this.#store.addSession(client, durable);
    const session = new Session(this.#store, { number, client, durable, depth: 0 });
    this.#sessions.set(client, session);
    return session;
  }

  #drop(session: Session): void {
    this.#store.dropSession(session.number);
    this.#sessions.delete(session.client);
  }

  #disconnected(session: Session): void {
    session.link = undefined;
    if (session.durable) return;
    try {
      this.#drop(session);
    } catch {
      // The disk failed; sessions that end with their connection are dropped at the next start.
      this.#sessions.delete(session.client);
    }
  }
}

/** The properties that travel on to subscribers, as JSON; empty for none. */
function forwarded({ properties }: IPublishPacket): string {
  if (properties === undefined) return '';
  const { topicAlias: _alias, subscriptionIdentifier: _subscription, ...rest } = properties;
  return Object.keys(rest).length === 0 ? '' : JSON.stringify(rest);
}
