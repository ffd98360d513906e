import { BrokerRejectedError, BrokerUnavailableError } from '../errors.ts';
import type { OutgoingMessage } from '../message.ts';
import { sendOrFind } from '../send-or-find.ts';
import { tooLarge } from '../too-large.ts';
import { bytesOf, fieldsOf, longestField } from './entries.ts';
import { type Link, openLink, placeOf } from './link.ts';
import { streamOf, topicProblem } from './names.ts';
import type { ResolvedRedisStreamsOptions } from './options.ts';
import { isTooLongForRedis, postponement, reasonOf } from './refusals.ts';
import { ADD } from './scripts.ts';

/** Redis closes a connection over which too much comes at once (`client-query-buffer-limit`, 1 GB). */
const PIECE_BYTES = 33_554_432;

const ARGUMENT_LIMIT = 'proto-max-bulk-len of Redis';

/**
 * Publishes over a connection that is made when it is needed and given up at the
 * first trouble. The messages of one topic go as one script (or several, of 32
 * MiB each): all of them, those there is room for, or none. What was on its way when the connection went is
 * not sent again behind the caller's back, and what a server that stood still
 * finds in its buffer afterwards is too late to count.
 */
export class RedisStreamsPublisher {
  readonly #options: ResolvedRedisStreamsOptions;
  #link: Promise<Link> | undefined;

  constructor(options: ResolvedRedisStreamsOptions) {
    this.#options = options;
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    const rejected = new Map<string, string>();
    for (const message of messages) {
      const why = this.#problemOf(message);
      if (why !== undefined) rejected.set(message.id, why);
    }
    const good = messages.filter(({ id }) => !rejected.has(id));
    const postponed =
      good.length > 0 ? await this.#send(good, rejected) : new Map<string, string>();
    if (rejected.size + postponed.size === 0) return;
    const taken = good.map(({ id }) => id).filter((id) => !postponed.has(id) && !rejected.has(id));
    throw new BrokerRejectedError({ rejected, postponed, taken: new Set(taken) });
  }

  async close(): Promise<void> {
    const link = this.#link;
    this.#link = undefined;
    // A link that failed has nothing to close.
    const open = await link?.catch(() => undefined);
    open?.drop(new Error('the broker was closed'));
  }

  #problemOf(message: OutgoingMessage): string | undefined {
    const { maxMessageBytes } = this.#options;
    const problem = topicProblem(message.topic);
    const bytes = bytesOf(message);
    if (problem !== undefined || bytes <= maxMessageBytes) return problem;
    return tooLarge(bytes, maxMessageBytes, 'redisStreamsBroker.maxMessageBytes');
  }

  /** Redis ends a connection over which something too large comes. Resolves with those that have to wait, and why. */
  async #send(
    messages: readonly OutgoingMessage[],
    rejected: Map<string, string>,
  ): Promise<Map<string, string>> {
    const postponed = new Map<string, string>();
    await sendOrFind(messages, rejected, {
      send: async (some) => {
        for (const [id, why] of await this.#sendOnce(some, rejected)) postponed.set(id, why);
      },
      isRefusal: (error) => isTooLongForRedis((error as Error).cause),
      why: (_error, one) => tooLarge(bytesOf(one), undefined, ARGUMENT_LIMIT),
    });
    return postponed;
  }

  /** Resolves with those that have to wait, and why. */
  async #sendOnce(
    messages: readonly OutgoingMessage[],
    rejected: Map<string, string>,
  ): Promise<Map<string, string>> {
    const { clock, maxMessageBytes, timeoutMs } = this.#options;
    const deadlineMs = clock.now() + timeoutMs;
    const linking = this.#connected();
    const expired = Promise.withResolvers<never>();
    const timer = clock.timer(timeoutMs, () =>
      expired.reject(new Error(`it did not acknowledge within ${timeoutMs} ms`)),
    );
    const work = (async () => {
      const link = await linking;
      const { maxArgumentBytes: most = Number.POSITIVE_INFINITY } = link;
      // Nothing is heavier than `maxMessageBytes`, which is nearly always the lower of the two.
      const tooLong =
        most >= maxMessageBytes ? [] : messages.filter((one) => longestField(one) > most);
      for (const one of tooLong) rejected.set(one.id, tooLarge(bytesOf(one), most, ARGUMENT_LIMIT));
      const fitting = messages.filter(({ id }) => !rejected.has(id));
      const topics = Map.groupBy(fitting, ({ topic }) => topic);
      const postponed = await Promise.all(
        [...topics].map(([topic, its]) => this.#addAll(link, topic, its, deadlineMs)),
      );
      const waiting = new Map(postponed.flatMap((each) => [...each]));
      if (waiting.size < fitting.length) await this.#settle(link, deadlineMs);
      return waiting;
    })();
    // Whoever comes too late is not listened to any more.
    work.catch(() => {});
    try {
      return await Promise.race([work, expired.promise]);
    } catch (error) {
      if (this.#link === linking) this.#link = undefined;
      linking.then(
        (link) => link.drop(error),
        () => {},
      );
      throw new BrokerUnavailableError(
        `${placeOf(this.#options)} did not take the messages: ${reasonOf(error)}.`,
        error,
      );
    } finally {
      timer.cancel();
    }
  }

  #connected(): Promise<Link> {
    if (this.#link !== undefined) return this.#link;
    const linking = openLink(this.#options, 'publisher');
    const forget = () => {
      if (this.#link === linking) this.#link = undefined;
    };
    // Closed while nobody used it, by a server that lets nobody idle, costs no publication.
    linking.then((link) => link.gone.addEventListener('abort', forget, { once: true }), forget);
    this.#link = linking;
    return linking;
  }

  /** Adds them piece by piece; from the first that has to wait, all wait, so that none overtakes. */
  async #addAll(
    link: Link,
    topic: string,
    messages: readonly OutgoingMessage[],
    deadlineMs: number,
  ): Promise<Map<string, string>> {
    for (let left = messages; left.length > 0; ) {
      const piece = left.slice(0, firstFew(left));
      const postponed = await this.#add(link, topic, piece, deadlineMs);
      left = left.slice(piece.length);
      const [why] = postponed.values();
      if (why !== undefined)
        return new Map([...postponed, ...left.map(({ id }) => [id, why] as const)]);
    }
    return new Map();
  }

  /** Resolves with those that have to wait, and why. */
  async #add(
    link: Link,
    topic: string,
    messages: readonly OutgoingMessage[],
    deadlineMs: number,
  ): Promise<Map<string, string>> {
    const { keyPrefix, maxLength } = this.#options;
    const entries = messages.flatMap((message) => {
      const fields = fieldsOf(message);
      return [fields.length, ...fields];
    });
    const args = [link.serverMs(deadlineMs), maxLength, messages.length, ...entries];
    try {
      const answer = await link.run(ADD, [streamOf(topic, keyPrefix)], args);
      const [added, slowest] = answer as readonly [number, Buffer];
      const why = fullFor(slowest.toString(), maxLength);
      return new Map(messages.slice(added).map(({ id }) => [id, why]));
    } catch (error) {
      const why = postponement(error);
      if (why === undefined) throw error;
      return new Map(messages.map(({ id }) => [id, why]));
    }
  }

  /** Resolves when what was added on this connection is as safe as was asked for. */
  async #settle(link: Link, deadlineMs: number): Promise<void> {
    const { clock, durability } = this.#options;
    if (durability === 'memory') return;
    const waitMs = Math.max(1, Math.floor(deadlineMs - clock.now()));
    if (durability === 'aof') {
      const [local] = (await link.send('WAITAOF', [1, 0, waitMs])) as readonly [number, number];
      if (local < 1) throw new Error('it has not written them to its disk in time');
      return;
    }
    const { replicas } = durability;
    const have = Number(await link.send('WAIT', [replicas, waitMs]));
    if (have < replicas) throw new Error(`${have} of ${replicas} replicas have them in time`);
  }
}

/** How many of them go into one script: one at least, and no more than `PIECE_BYTES`. */
function firstFew(messages: readonly OutgoingMessage[]): number {
  let bytes = 0;
  const end = messages.findIndex((message) => {
    bytes += bytesOf(message);
    return bytes > PIECE_BYTES;
  });
  return end < 0 ? messages.length : Math.max(1, end);
}

function fullFor(group: string, maxLength: number): string {
  const full = `the stream is full (maxLength, ${maxLength} entries)`;
  if (group === '') return `${full}, and no group takes anything off it`;
  return `${full} with what the group "${group}" has not acknowledged`;
}
