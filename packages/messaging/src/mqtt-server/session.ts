import type { IPublishPacket } from 'mqtt-packet';
import type { Link } from './link.ts';
import type { QueuedPublish, SessionStore } from './session-store.ts';

/** No more unacknowledged messages than this are on their way to one client. */
const WINDOW = 100;

/**
 * What the broker keeps of one client: its filters and its queue. While it is
 * connected its queue is pumped to it, in order, a window at a time.
 */
export class Session {
  readonly number: number;
  readonly client: string;
  readonly durable: boolean;
  readonly filters: Map<string, 0 | 1>;
  /** Messages in its queue. */
  depth: number;
  link: Link | undefined;
  readonly #store: SessionStore;
  readonly #inFlight = new Map<number, number>();
  #sentSeq = 0;
  #everSentSeq = 0;
  #lastPacketId = 0;

  constructor(
    store: SessionStore,
    stored: { number: number; client: string; durable: boolean; depth: number },
    filters: ReadonlyMap<string, 0 | 1> = new Map(),
  ) {
    this.#store = store;
    this.number = stored.number;
    this.client = stored.client;
    this.durable = stored.durable;
    this.depth = stored.depth;
    this.filters = new Map(filters);
  }

  attach(link: Link): void {
    this.link = link;
    this.#inFlight.clear();
    this.#sentSeq = 0;
  }

  /** Sends what fits into the window. */
  pump(): void {
    const { link } = this;
    if (link === undefined || !link.ready || this.depth === 0) return;
    const free = Math.min(WINDOW, link.receiveMaximum) - this.#inFlight.size;
    if (free <= 0) return;
    for (const queued of this.#store.next(this.number, this.#sentSeq, free)) {
      const messageId = this.#nextPacketId();
      this.#inFlight.set(messageId, queued.seq);
      const dup = queued.seq <= this.#everSentSeq;
      this.#sentSeq = queued.seq;
      this.#everSentSeq = Math.max(this.#everSentSeq, queued.seq);
      link.send({ ...publishOf(queued), qos: 1, dup, messageId });
    }
  }

  /** The queue's entry that the client has acknowledged; undefined for one it was never sent. */
  acknowledge(messageId: number): number | undefined {
    const seq = this.#inFlight.get(messageId);
    this.#inFlight.delete(messageId);
    return seq;
  }

  #nextPacketId(): number {
    do {
      this.#lastPacketId = (this.#lastPacketId % 65_535) + 1;
    } while (this.#inFlight.has(this.#lastPacketId));
    return this.#lastPacketId;
  }
}

/** A stored message as a packet of QoS 0. */
export function publishOf({
  topic,
  payload,
  properties,
}: Omit<QueuedPublish, 'seq'>): IPublishPacket {
  return {
    cmd: 'publish',
    qos: 0,
    dup: false,
    retain: false,
    topic,
    payload: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
    ...(properties === '' ? {} : { properties: JSON.parse(properties, reviveBytes) as object }),
  };
}

/** Correlation data is binary: JSON writes a Buffer as `{ type: 'Buffer', data: […] }`. */
function reviveBytes(name: string, value: unknown): unknown {
  return name === 'correlationData'
    ? Buffer.from(value as Parameters<typeof Buffer.from>[0])
    : value;
}
