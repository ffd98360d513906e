import { BrokerRejectedError, BrokerUnavailableError } from '../errors.ts';
import type { OutgoingMessage } from '../message.ts';
import type { KafkaProducer } from './module.ts';
import { clientOptions, type ResolvedKafkaOptions } from './options.ts';
import { recordOf, rejectionOf, topicProblem } from './records.ts';

/**
 * Publishes through an idempotent producer (`acks=-1`) that is thrown away at
 * the first trouble: what it had queued then fails instead of being sent when
 * the broker returns, and its sequence numbers begin anew.
 */
export class KafkaPublisher {
  readonly #options: ResolvedKafkaOptions;
  #producer: KafkaProducer | undefined;

  constructor(options: ResolvedKafkaOptions) {
    this.#options = options;
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    const rejected = new Map<string, string>();
    for (const { id, topic } of messages) {
      const problem = topicProblem(topic);
      if (problem !== undefined) rejected.set(id, problem);
    }
    const good = messages.filter(({ id }) => !rejected.has(id));
    if (good.length > 0) await this.#send(good, rejected);
    if (rejected.size === 0) return;
    const taken = good.filter(({ id }) => !rejected.has(id)).map(({ id }) => id);
    throw new BrokerRejectedError({ rejected, taken: new Set(taken) });
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.close(true);
  }

  /** Kafka refuses a batch as a whole: one by one then, to find the culprits. */
  async #send(messages: readonly OutgoingMessage[], rejected: Map<string, string>): Promise<void> {
    try {
      await this.#sendOnce(messages);
    } catch (error) {
      const reason = rejectionOf(error);
      if (reason === undefined) throw this.#unavailable(error);
      const [only] = messages;
      if (messages.length === 1 && only !== undefined) rejected.set(only.id, reason);
      else for (const message of messages) await this.#send([message], rejected);
    }
  }

  async #sendOnce(messages: readonly OutgoingMessage[]): Promise<void> {
    const { clock, kafka, timeoutMs } = this.#options;
    this.#producer ??= new kafka.Producer({
      ...clientOptions(this.#options),
      idempotent: true,
      acks: -1,
    });
    const producer = this.#producer;
    const sent = producer.send({ messages: messages.map(recordOf) });
    const expired = Promise.withResolvers<never>();
    const timer = clock.timer(timeoutMs, () =>
      expired.reject(new Error(`no acknowledgement within ${timeoutMs} ms`)),
    );
    try {
      await Promise.race([sent, expired.promise]);
    } catch (error) {
      this.#discard(producer);
      throw error;
    } finally {
      timer.cancel();
    }
  }

  #discard(producer: KafkaProducer): void {
    this.#producer = undefined;
    // It is broken already; what else goes wrong while it closes changes nothing.
    producer.close(true).catch(() => {});
  }

  #unavailable(error: unknown): BrokerUnavailableError {
    const bootstrap = this.#options.bootstrap.join(', ');
    const reason = error instanceof Error ? error.message : String(error);
    return new BrokerUnavailableError(
      `Kafka at ${bootstrap} did not take the messages: ${reason}`,
      error,
    );
  }
}
