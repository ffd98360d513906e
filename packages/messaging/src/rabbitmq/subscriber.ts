import type { Timer } from '@holdfast/core';
import type { Subscription } from '../broker.ts';
import type { Handling } from '../consume/giving-up.ts';
import { Hands } from '../consume/hands.ts';
import { KeptSubscription } from '../consume/kept-subscription.ts';
import type { ResolvedSubscribeOptions } from '../consume/subscribe-options.ts';
import { answered, endConnection } from './connection.ts';
import { earlierDeliveries, refusalOf } from './deliveries.ts';
import { bindQueue, ensureQueue, type GroupQueue } from './ensure-queue.ts';
import type { QueueLayout } from './layout.ts';
import type { AmqpChannel, AmqpConnection, AmqpDelivery } from './module.ts';
import { placeOf, type ResolvedRabbitOptions, socketOptions, urlWithHeartbeat } from './options.ts';

/**
 * RabbitMQ writes a quorum queue's place in its node half a second after it has made the queue
 * (seen with 3.10). A node killed before that never finds the queue's leader again: it stays there,
 * serves nobody, and what it had confirmed is lost. So a new one is bound later.
 */
const GROWING_UP_MS = 1_000;

/**
 * How often a member binds its queue again. An exchange that somebody deletes takes its bindings along, and nobody who
 * reads a queue is told: what is published to the next exchange of that name would not reach the group.
 */
const REBIND_MS = 10_000;

/** What `work` comes to, unless the connection is lost or the server takes too long. */
type Waited = <T>(work: Promise<T>) => Promise<T>;

interface Beginning {
  readonly progress: () => void;
  readonly lose: (error: unknown) => void;
  readonly waited: Waited;
}

interface Consumer {
  readonly channel: AmqpChannel;
  /** Another one when it consumes anew. */
  tag: string;
}

interface Consuming extends Pick<Beginning, 'lose' | 'progress'> {
  readonly most: number;
  readonly more?: () => Promise<void>;
}

/**
 * One member of a group, which is a queue of its own bound to the topic's
 * exchange. A delivery belongs to its connection: what came over a lost one is
 * not acknowledged, and comes again over the next.
 */
export class RabbitSubscriber implements Subscription {
  readonly #rabbit: ResolvedRabbitOptions;
  readonly #options: ResolvedSubscribeOptions;
  readonly #topic: string;
  /** Undefined: the queue is `GROUP-TOPIC`, as the options say. */
  readonly #layout: QueueLayout | undefined;
  readonly #kept: KeptSubscription;
  #hands: Hands;
  /** `looks` whether its queue is there, `settling` where it was not, then `settled`. */
  #age: 'looks' | 'settling' | 'settled' = 'looks';

  constructor(
    rabbit: ResolvedRabbitOptions,
    topic: string,
    options: ResolvedSubscribeOptions,
    handler: Handling,
  ) {
    this.#rabbit = rabbit;
    this.#topic = topic;
    this.#options = options;
    this.#layout = rabbit.layout.queueOf?.(topic, options);
    this.#hands = new Hands(handler, options, rabbit.clock);
    this.#kept = new KeptSubscription({
      clock: rabbit.clock,
      reconnectMs: rabbit.reconnectMs,
      subscribe: options,
      lossOf: (cause) => {
        const why = cause instanceof Error ? cause.message : String(cause);
        return `${placeOf(rabbit.url)} no longer serves the queue "${this.#queue}": ${why}.`;
      },
      // A queue that is there with other properties stays so.
      isFinal: (cause) => refusalOf(cause) !== undefined,
    });
    this.#kept.begin((progress) => this.#consume(progress));
  }

  /** Resolves when its queue is there and bound; rejects where RabbitMQ refuses it, not where it is away. */
  get joined(): Promise<void> {
    return this.#kept.joined;
  }

  async close(): Promise<void> {
    await this.#kept.close();
    // Where the connection was lost at the end, handlers may still be at work.
    await this.#hands.end();
  }

  get #ordered(): boolean {
    return this.#options.concurrency === 1;
  }

  get #queue(): string {
    return this.#layout?.name ?? `${this.#options.group}-${this.#topic}`;
  }

  get #group(): GroupQueue {
    return {
      name: this.#queue,
      exchange: this.#topic,
      ordered: this.#ordered,
      layout: this.#layout,
      rabbit: this.#rabbit,
    };
  }

  /** Resolves when the subscription is closed; rejects when the connection is lost. */
  async #consume(progress: () => void): Promise<void> {
    const { amqp, clock, settleMs } = this.#rabbit;
    const connection = await amqp.connect(
      urlWithHeartbeat(this.#rabbit),
      socketOptions(this.#rabbit, this.#queue),
    );
    const lost = Promise.withResolvers<never>();
    // Nobody may be waiting for it just now.
    lost.promise.catch(() => {});
    connection.on('error', lost.reject);
    connection.on('close', () => lost.reject(new Error('it closed the connection')));
    const { closing: signal } = this.#kept;
    const closed = Promise.withResolvers<undefined>();
    const close = () => closed.resolve(undefined);
    signal.addEventListener('abort', close, { once: true });
    // No listener hears that it was closed while it connected.
    if (signal.aborted) close();
    let rebinding: Timer | undefined;
    const waited: Waited = (work) => answered(Promise.race([work, lost.promise]), this.#rabbit);
    try {
      const beginning = this.#begin(connection, { progress, lose: lost.reject, waited });
      const consumer = await Promise.race([beginning, closed.promise]);
      if (consumer === undefined) return;
      if (this.#age === 'settling') {
        const settled = clock.sleep(settleMs, signal);
        await Promise.race([closed.promise, settled, lost.promise]);
      }
      if (!signal.aborted) {
        this.#age = 'settled';
        this.#kept.hasJoined();
      }
      const rebind = () => {
        rebinding = clock.timer(REBIND_MS, rebind);
        bindQueue(consumer.channel, this.#group).catch(lost.reject);
      };
      rebinding = clock.timer(REBIND_MS, rebind);
      await Promise.race([closed.promise, lost.promise]);
      await waited(consumer.channel.cancel(consumer.tag));
      await this.#hands.end();
      // Behind the last acknowledgement, which the end of the connection might overtake.
      await waited(consumer.channel.close());
    } finally {
      rebinding?.cancel();
      signal.removeEventListener('abort', close);
      // What it was sent and did not begin comes again.
      this.#hands = this.#hands.next();
      await endConnection(connection, this.#rabbit);
    }
  }

  async #begin(
    connection: AmqpConnection,
    { lose, progress, waited }: Beginning,
  ): Promise<Consumer> {
    const channel = await waited(connection.createChannel());
    channel.on('error', lose);
    channel.on('close', () => lose(new Error('it closed the channel')));
    const { autoDelete, clock, durable, prefetch, queueType, settleMs } = this.#rabbit;
    // A queue that is not to last has nothing to settle.
    const look = this.#age === 'looks' && settleMs > 0 && durable && !autoDelete;
    if (await waited(ensureQueue(connection, channel, this.#group, look))) {
      this.#age = 'settling';
      if (queueType === 'quorum') await clock.sleep(GROWING_UP_MS, this.#kept.closing);
    }
    await waited(bindQueue(channel, this.#group));
    const consumer: Consumer = { channel, tag: '' };
    const consuming = { lose, progress, most: prefetch };
    const more = async () => {
      if (!this.#kept.closing.aborted) await this.#consumeFrom(consumer, consuming);
    };
    const counts = this.#layout !== undefined || queueType === 'quorum';
    const oneAtFirst = counts && this.#options.giveUp !== undefined;
    const first = oneAtFirst ? { ...consuming, most: 1, more } : consuming;
    await waited(this.#consumeFrom(consumer, first));
    return consumer;
  }

  /**
   * Has up to `most` messages sent ahead. All of them count one more if this process ends: where messages are given up
   * it begins with one at a time, until one comes that is new; what is behind that nobody has had. Then come `more`.
   */
  async #consumeFrom(consumer: Consumer, { lose, more, most, progress }: Consuming): Promise<void> {
    const { clock } = this.#rabbit;
    const { channel } = consumer;
    const hands = this.#hands;
    await channel.prefetch(most);
    const consuming = channel.consume(this.#queue, (delivery) => {
      if (delivery === null) {
        lose(new Error('somebody deleted the queue'));
        return;
      }
      const settle = (say: (delivery: AmqpDelivery) => void) => () => {
        if (hands !== this.#hands) return;
        try {
          say(delivery);
        } catch {
          // The channel has closed while the last handlers were waited for: it comes again.
          return;
        }
        progress();
      };
      const acknowledge = settle((one) => channel.ack(one));
      const earlier = earlierDeliveries(delivery);
      // Before it is acknowledged: another would be sent, and be overtaken at the next active member.
      const widen = () =>
        consuming
          .then(({ consumerTag }) => channel.cancel(consumerTag))
          .then(acknowledge)
          .then(more)
          .catch(lose);
      const done = more === undefined || earlier > 0 ? acknowledge : widen;
      const refuse = settle((one) => channel.nack(one, false, false));
      const how = {
        lane: this.#ordered ? this.#queue : undefined,
        ...{ earlier, inLine: 1 },
        ...(this.#layout?.deadLetters === undefined ? {} : { refuse }),
        ...(this.#layout?.forgetsFailures === true ? { refuse: done } : {}),
      };
      const message = this.#rabbit.layout.messageOf(delivery, this.#topic, clock.wallMs());
      hands.give(message, done, how);
    });
    consumer.tag = (await consuming).consumerTag;
  }
}
