import { answered } from '../answered.ts';
import type { Subscription } from '../broker.ts';
import type { Handling } from '../consume/giving-up.ts';
import { Hands } from '../consume/hands.ts';
import { KeptSubscription } from '../consume/kept-subscription.ts';
import type { ResolvedSubscribeOptions } from '../consume/subscribe-options.ts';
import { messageOf } from './deliveries.ts';
import { ConsumerMismatch, ensureConsumer } from './ensure-consumer.ts';
import { InHand } from './in-hand.ts';
import { endConnection, type Link, openLink, reasonOf } from './link.ts';
import type { JetStreamBatch, JetStreamConsumer, JetStreamMessage } from './module.ts';
import { consumerName } from './names.ts';
import { placeOf, type ResolvedJetStreamOptions } from './options.ts';
import { PULL_ONE, type Pull, pullAll, pullOnTrial } from './pulls.ts';

/**
 * One member of a group, which is a durable consumer of the stream that all its
 * members pull from. What a member has in hand it says it has, at intervals;
 * what a lost one had comes again when the server has heard nothing for `ackWaitMs`.
 */
export class JetStreamSubscriber implements Subscription {
  readonly #stream: ResolvedJetStreamOptions;
  readonly #options: ResolvedSubscribeOptions;
  readonly #topic: string;
  readonly #name: string;
  readonly #kept: KeptSubscription;
  #hands: Hands;

  constructor(
    stream: ResolvedJetStreamOptions,
    topic: string,
    options: ResolvedSubscribeOptions,
    handler: Handling,
  ) {
    this.#stream = stream;
    this.#topic = topic;
    this.#options = options;
    this.#name = consumerName(options.group, topic);
    this.#hands = new Hands(handler, options, stream.clock);
    this.#kept = new KeptSubscription({
      clock: stream.clock,
      reconnectMs: stream.reconnectMs,
      subscribe: options,
      lossOf: (cause) =>
        `${placeOf(stream.servers)} no longer serves the consumer "${this.#name}": ${reasonOf(cause, stream)}.`,
      // A consumer that is there with other properties stays so.
      isFinal: (cause) => cause instanceof ConsumerMismatch,
    });
    this.#kept.begin((progress) => this.#consume(progress));
  }

  /** Resolves when its consumer is there; rejects where that is another than it wants, not where NATS is away. */
  get joined(): Promise<void> {
    return this.#kept.joined;
  }

  async close(): Promise<void> {
    await this.#kept.close();
  }

  /** Resolves when the subscription is closed; rejects when the connection is lost. */
  async #consume(progress: () => void): Promise<void> {
    const { clock, stream } = this.#stream;
    const link = await openLink(this.#stream, this.#name);
    let inHand: InHand | undefined;
    try {
      const ackWaitMs = await link.lost.or(this.#join(link));
      inHand = new InHand(clock, Math.max(1, Math.floor(ackWaitMs / 3)));
      const consumer = await link.manager.jetstream().consumers.get(stream, this.#name);
      await link.lost.or(this.#pullAll(consumer, inHand, progress));
      await this.#hands.end();
      // NATS 2.9 loses count of a message that is given back while a request of somebody who has
      // gone still stands, as our last one does; asked about the consumer, it forgets those.
      await link.manager.consumers.info(stream, this.#name);
      inHand.giveBack();
      // A server that hangs is known by its pings, but only after some: who closes does not wait so long.
      await answered(link.lost.or(link.connection.flush()), this.#stream);
    } finally {
      inHand?.stop();
      // What it was sent and did not begin comes again.
      this.#hands = this.#hands.next();
      await endConnection(link.connection, this.#stream);
    }
  }

  async #join({ manager }: Link): Promise<number> {
    const ackWaitMs = await ensureConsumer(manager.consumers, {
      name: this.#name,
      topic: this.#topic,
      ordered: this.#ordered,
      stream: this.#stream,
    });
    this.#kept.hasJoined();
    return ackWaitMs;
  }

  get #ordered(): boolean {
    return this.#options.concurrency === 1;
  }

  /** Asks for as many as there is room for, again and again, until the subscription is closed. */
  async #pullAll(consumer: JetStreamConsumer, inHand: InHand, progress: () => void): Promise<void> {
    const { prefetch } = this.#stream;
    const { closing: signal } = this.#kept;
    const onTrial = this.#options.giveUp !== undefined;
    const alone = onTrial && this.#ordered;
    const ask = (room: number): Pull => {
      if (alone) return PULL_ONE;
      return onTrial ? pullOnTrial(room, got) : pullAll(room);
    };
    let got: JetStreamMessage[] = [];
    let batch: JetStreamBatch | undefined;
    const stopped = new AbortController();
    const stop = () => {
      stopped.abort();
      batch?.stop();
      inHand.wake();
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      // Its connection may be gone as well: nobody waits for this then.
      while (!signal.aborted && !inHand.stopped) {
        const room = prefetch - inHand.count;
        batch = await consumer.fetch(ask(room));
        got = [];
        // Closed while it was asking: nobody would stop it.
        if (signal.aborted || inHand.stopped) batch.stop();
        for await (const message of batch) {
          this.#take(message, inHand, progress);
          if (onTrial) got.push(message);
        }
        await this.#hands.trials.over(stopped.signal);
        await inHand.fewerThan(alone ? 1 : Math.ceil(prefetch / 2));
      }
    } finally {
      signal.removeEventListener('abort', stop);
      batch?.stop();
    }
  }

  #take(message: JetStreamMessage, inHand: InHand, progress: () => void): void {
    inHand.add(message);
    const lane = this.#ordered ? this.#name : undefined;
    const acknowledge = () => {
      inHand.acknowledge(message);
      progress();
    };
    this.#hands.give(messageOf(message, this.#topic), acknowledge, {
      lane,
      earlier: message.info.deliveryCount - 1,
      inLine: 1,
      // Its connection is gone: it comes again.
      ours: () => !inHand.stopped,
    });
  }
}
