import { BrokerRejectedError, BrokerUnavailableError } from '../errors.ts';
import { Loss } from '../loss.ts';
import type { OutgoingMessage } from '../message.ts';
import { sendOrFind } from '../send-or-find.ts';
import { answered, endConnection, isShutOut, whyOf } from './connection.ts';
import { idProblem, publishOptionsOf, refusalOf, topicProblem } from './deliveries.ts';
import type { AmqpConfirmChannel, AmqpConnection } from './module.ts';
import { placeOf, type ResolvedRabbitOptions, socketOptions, urlWithHeartbeat } from './options.ts';

/** A connection with its channel, from its first use to its first trouble. */
interface Link {
  readonly connection: AmqpConnection;
  readonly channel: AmqpConfirmChannel;
  readonly exchanges: Set<string>;
  /** Ids of messages that no queue took; RabbitMQ says so before it confirms them. */
  readonly unrouted: Set<string>;
  /** Happens when the channel or the connection is gone, with RabbitMQ's reason. */
  readonly lost: Loss;
  blocked: string | undefined;
}

type Verdicts = {
  readonly rejected: Map<string, string>;
  readonly postponed: Map<string, string>;
};

/**
 * Publishes with confirms, over a connection that is made when it is needed and
 * given up at the first trouble: what was on its way then fails instead of
 * being sent again behind the caller's back.
 */
export class RabbitPublisher {
  readonly #options: ResolvedRabbitOptions;
  /** Forgotten when it is lost, so that whoever publishes next has another. */
  #link: Promise<Link> | undefined;

  constructor(options: ResolvedRabbitOptions) {
    this.#options = options;
  }

  /** @throws BrokerUnavailableError */
  async connect(): Promise<void> {
    const linking = this.#linked();
    await linking.catch((error: unknown) => {
      if (this.#link === linking) this.#link = undefined;
      const why = error instanceof Error ? whyOf(error) : String(error);
      const what = `${placeOf(this.#options.url)} cannot be reached: ${why}`;
      throw new BrokerUnavailableError(what, error, isShutOut(error));
    });
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    const verdicts: Verdicts = { rejected: new Map(), postponed: new Map() };
    const { postponed, rejected } = verdicts;
    for (const { id, topic } of messages) {
      const problem = topicProblem(topic) ?? idProblem(id);
      if (problem !== undefined) rejected.set(id, problem);
    }
    const good = messages.filter(({ id }) => !rejected.has(id));
    if (good.length > 0) await this.#send(good, verdicts);
    if (rejected.size + postponed.size === 0) return;
    const taken = messages
      .map(({ id }) => id)
      .filter((id) => !rejected.has(id) && !postponed.has(id));
    throw new BrokerRejectedError({ rejected, postponed, taken: new Set(taken) });
  }

  async close(): Promise<void> {
    const link = this.#link;
    this.#link = undefined;
    // A link that failed has nothing to close.
    const open = await link?.catch(() => undefined);
    if (open !== undefined) await endConnection(open.connection, this.#options);
  }

  /** RabbitMQ answers a message it will not have by closing the channel. */
  async #send(messages: readonly OutgoingMessage[], verdicts: Verdicts): Promise<void> {
    await sendOrFind(messages, verdicts.rejected, {
      send: (some) => this.#sendOnce(some, verdicts),
      isRefusal: (error) => refusalOf(error) !== undefined,
      why: (error) => refusalOf(error)!,
    });
  }

  async #sendOnce(messages: readonly OutgoingMessage[], { postponed }: Verdicts): Promise<void> {
    const { clock, timeoutMs, url } = this.#options;
    const linking = this.#linked();
    const expired = Promise.withResolvers<never>();
    const timer = clock.timer(timeoutMs, () =>
      expired.reject(new Error(`it did not confirm within ${timeoutMs} ms`)),
    );
    let link: Link | undefined;
    try {
      link = await Promise.race([linking, expired.promise]);
      // Where the link is lost the confirms fail as well, one by one; the reason is that of the loss.
      const work = link.lost.or(Promise.all(messages.map((message) => this.#one(link!, message))));
      const problems = await Promise.race([work, expired.promise]);
      for (const [index, problem] of problems.entries()) {
        if (problem !== undefined) postponed.set(messages[index]!.id, problem);
      }
    } catch (error) {
      if (this.#link === linking) this.#link = undefined;
      // One that was not made ended its connection itself.
      void linking.then(
        ({ connection }) => endConnection(connection, this.#options),
        () => {},
      );
      if (refusalOf(error) !== undefined) throw error;
      const blocked = link?.blocked === undefined ? '' : ` (it takes nothing now: ${link.blocked})`;
      const why = error instanceof Error ? error.message : String(error);
      throw new BrokerUnavailableError(
        `${placeOf(url)} did not take the messages: ${why}${blocked}.`,
        error,
        false,
        link === undefined,
      );
    } finally {
      timer.cancel();
    }
  }

  /** Resolves with why it has to wait; undefined when RabbitMQ has it. */
  async #one(
    { channel, exchanges, unrouted }: Link,
    message: OutgoingMessage,
  ): Promise<string | undefined> {
    const { topic, body } = message;
    const { autoDelete, durable, layout, requireSubscriber } = this.#options;
    if (!exchanges.has(topic)) {
      await channel.assertExchange(topic, layout.exchangeKind, { durable, autoDelete });
      exchanges.add(topic);
    }
    const content = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    const { options: given, routingKey } = layout.publishingOf(message);
    const options = { ...publishOptionsOf(message, requireSubscriber), ...given };
    return new Promise((resolve) => {
      channel.publish(topic, routingKey, content, options, (error) => {
        if (unrouted.delete(options.messageId)) resolve(`nobody has subscribed to "${topic}" yet`);
        else if (error) resolve('a queue did not take it: it is full, or could not store it');
        else resolve(undefined);
      });
    });
  }

  /** A connection that is lost while nobody uses it is nobody's failure: the next publish makes another. */
  #linked(): Promise<Link> {
    if (this.#link !== undefined) return this.#link;
    const linking = this.#connect();
    this.#link = linking;
    const forget = () => {
      if (this.#link === linking) this.#link = undefined;
    };
    // One that was not made is forgotten where it is waited for.
    void linking.then(
      ({ connection, channel }) => {
        connection.on('close', forget);
        channel.on('close', forget);
      },
      () => {},
    );
    return linking;
  }

  async #connect(): Promise<Link> {
    const connection = await this.#options.amqp.connect(
      urlWithHeartbeat(this.#options),
      socketOptions(this.#options, 'publisher'),
    );
    const lost = new Loss();
    connection.on('error', (error) => lost.happen(error));
    connection.on('close', () => lost.happen(new Error('it closed the connection')));
    const channel = await answered(connection.createConfirmChannel(), this.#options).catch(
      (error) => {
        void endConnection(connection, this.#options);
        throw error;
      },
    );
    const link: Link = {
      connection,
      channel,
      exchanges: new Set(),
      unrouted: new Set(),
      lost,
      blocked: undefined,
    };
    channel.on('error', (error) => lost.happen(error));
    channel.on('close', () => lost.happen(new Error('it closed the channel')));
    channel.on('return', ({ properties }) => void link.unrouted.add(String(properties.messageId)));
    connection.on('blocked', (reason) => {
      link.blocked = reason;
    });
    connection.on('unblocked', () => {
      link.blocked = undefined;
    });
    return link;
  }
}
