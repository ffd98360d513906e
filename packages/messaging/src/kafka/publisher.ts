import { BrokerRejectedError, BrokerUnavailableError } from '../errors.ts';
import type { OutgoingMessage } from '../message.ts';
import { sendOrFind } from '../send-or-find.ts';
import { tooLarge } from '../too-large.ts';
import type { KafkaProducer, KafkaRecord } from './module.ts';
import { clientOptions, type ResolvedKafkaOptions } from './options.ts';
import {
  isUnknownTopic,
  PartitionError,
  reasonOf,
  rejectionOf,
  TOO_LARGE,
  topicProblem,
} from './records.ts';
import { sizeLimit } from './size-limit.ts';
import { isUnsent } from './unsent.ts';

interface Producing {
  readonly producer: KafkaProducer;
  /** How many wait for it. */
  inFlight: number;
}

interface Outgoing {
  readonly id: string;
  readonly record: KafkaRecord;
}

/**
 * Publishes through an idempotent producer (`acks=-1`) that gets nothing new after
 * its first trouble, so that sequence numbers begin anew. What else it has in
 * hand goes to its end, since other brokers may be well; when one was not answered
 * in time it is closed at once, so that nothing is sent when the broker returns.
 */
export class KafkaPublisher {
  readonly #options: ResolvedKafkaOptions;
  #current: Producing | undefined;
  /** Those in trouble that others still wait for. */
  readonly #retired = new Set<Producing>();
  /** Where it begins. */
  #at: readonly string[] = [];

  constructor(options: ResolvedKafkaOptions) {
    this.#options = options;
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    const rejected = new Map<string, string>();
    const good: Outgoing[] = [];
    for (const message of messages) {
      const record = this.#recordOf(message);
      if (typeof record === 'string') rejected.set(message.id, record);
      else good.push({ id: message.id, record });
    }
    if (good.length > 0) await this.#send(good, rejected);
    if (rejected.size === 0) return;
    const taken = good.filter(({ id }) => !rejected.has(id)).map(({ id }) => id);
    throw new BrokerRejectedError({ rejected, taken: new Set(taken) });
  }

  async close(): Promise<void> {
    const all = [...this.#retired, ...(this.#current === undefined ? [] : [this.#current])];
    this.#retired.clear();
    this.#current = undefined;
    await Promise.all(all.map(({ producer }) => producer.close(true)));
  }

  /** A text says why there can be none. */
  #recordOf(message: OutgoingMessage): KafkaRecord | string {
    const { layout, maxMessageBytes: most = Number.POSITIVE_INFINITY } = this.#options;
    const bytes = message.body.byteLength;
    if (bytes > most) return tooLarge(bytes, most, 'kafkaBroker.maxMessageBytes');
    const problem = topicProblem(message.topic);
    if (problem !== undefined) return problem;
    try {
      return layout.recordOf(message);
    } catch (error) {
      return (error as Error).message;
    }
  }

  async #send(messages: readonly Outgoing[], rejected: Map<string, string>): Promise<void> {
    const isRefusal = (error: unknown) => rejectionOf(error) !== undefined;
    await sendOrFind(messages, rejected, {
      isRefusal,
      send: async (some) => {
        await this.#sendPatiently(some.map(({ record }) => record)).catch((error: unknown) => {
          if (isRefusal(error)) throw error;
          // Of some of them others were taken before.
          const unsent = some.length === messages.length && isUnsent(error, some.length);
          throw this.#unavailable(error, unsent);
        });
      },
      why: async (error, message) => {
        const reason = rejectionOf(error)!;
        return reason === TOO_LARGE ? await this.#tooLarge(message) : reason;
      },
    });
  }

  async #tooLarge({ record: { topic, value } }: Outgoing): Promise<string> {
    const most = await sizeLimit(this.#options, topic);
    return tooLarge(value?.byteLength ?? 0, most, 'max.message.bytes of the topic');
  }

  async #sendPatiently(records: KafkaRecord[]): Promise<void> {
    const { autocreateTopics, clock, newTopicMs } = this.#options;
    const untilMs = clock.now() + (autocreateTopics ? newTopicMs : 0);
    for (;;) {
      try {
        await this.#sendOnce(records);
        return;
      } catch (error) {
        // No wait between: the client has waited for it already.
        if (!isUnknownTopic(error) || clock.now() >= untilMs) throw error;
      }
    }
  }

  async #sendOnce(records: KafkaRecord[]): Promise<void> {
    const { clock, timeoutMs } = this.#options;
    this.#current ??= { producer: this.#newProducer(), inFlight: 0 };
    const used = this.#current;
    used.inFlight += 1;
    const expired = Promise.withResolvers<never>();
    const timer = clock.timer(timeoutMs, () => {
      this.#retire(used);
      this.#end(used);
      expired.reject(new Error(`no acknowledgement within ${timeoutMs} ms`));
    });
    try {
      await Promise.race([sendRecords(used.producer, records), expired.promise]);
    } catch (error) {
      this.#retire(used);
      throw error;
    } finally {
      timer.cancel();
      used.inFlight -= 1;
      if (used.inFlight === 0 && this.#retired.has(used)) this.#end(used);
    }
  }

  #newProducer(): KafkaProducer {
    const client = clientOptions(this.#options);
    this.#at = client.bootstrapBrokers;
    const { compression = 'none', kafka } = this.#options;
    return new kafka.Producer({ ...client, idempotent: true, acks: -1, compression });
  }

  /** Nobody is given it any more. */
  #retire(used: Producing): void {
    if (this.#current !== used) return;
    this.#current = undefined;
    this.#retired.add(used);
  }

  #end(used: Producing): void {
    this.#retired.delete(used);
    // It is broken already; what else goes wrong while it closes changes nothing.
    used.producer.close(true).catch(() => {});
  }

  #unavailable(error: unknown, unsent: boolean): BrokerUnavailableError {
    return new BrokerUnavailableError(
      `Kafka at ${this.#at.join(', ')} did not take the messages: ${reasonOf(error)}`,
      error,
      false,
      unsent,
    );
  }
}

/** The client takes partitions modulo their number; those that are meant exactly are looked at first. */
async function sendRecords(producer: KafkaProducer, messages: KafkaRecord[]): Promise<void> {
  const exact = messages.filter((record) => record.exact === true);
  if (exact.length > 0) {
    const { topics } = await producer.metadata({ topics: exact.map(({ topic }) => topic) });
    for (const { topic, partition = 0 } of exact) {
      const { partitionsCount = 0 } = topics.get(topic) ?? {};
      if (partition >= partitionsCount) throw new PartitionError(partition, partitionsCount);
    }
  }
  await producer.send({ messages });
}
