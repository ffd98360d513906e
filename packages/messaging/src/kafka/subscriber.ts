import type { Subscription } from '../broker.ts';
import type { Handling } from '../consume/giving-up.ts';
import { keepConsuming } from '../consume/keep-consuming.ts';
import { type ResolvedSubscribeOptions, tell } from '../consume/subscribe-options.ts';
import { BrokerUnavailableError } from '../errors.ts';
import { Consumption } from './consumption.ts';
import type { ResolvedKafkaOptions } from './options.ts';
import { PartitionCount } from './partition-count.ts';
import { reasonOf } from './records.ts';

/**
 * One member of a consumer group. The client's stream ends with an error when
 * its broker goes away and does not come back, so each loss is answered with a
 * new consumer that continues behind the last commit.
 */
export class KafkaSubscriber implements Subscription {
  readonly #kafka: ResolvedKafkaOptions;
  readonly #options: ResolvedSubscribeOptions;
  readonly #topic: string;
  readonly #handler: Handling;
  readonly #closing = new AbortController();
  readonly #joined = Promise.withResolvers<void>();
  readonly #ended: Promise<void>;
  readonly #partitions = new PartitionCount();
  #consumption: Consumption | undefined;

  constructor(
    kafka: ResolvedKafkaOptions,
    topic: string,
    options: ResolvedSubscribeOptions,
    handler: Handling,
  ) {
    this.#kafka = kafka;
    this.#topic = topic;
    this.#options = options;
    this.#handler = handler;
    this.#ended = this.#run();
  }

  /** Resolves when it has joined its group for the first time. */
  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('The subscription was closed.'));
    await this.#consumption?.close();
    await this.#ended;
  }

  #run(): Promise<void> {
    const { clock, reconnectMs } = this.#kafka;
    return keepConsuming((progress) => this.#consume(progress), {
      clock,
      reconnectMs,
      signal: this.#closing.signal,
      lost: (cause) => {
        const what = `Kafka's consumer of "${this.#topic}" was lost: ${reasonOf(cause)}`;
        const error = new BrokerUnavailableError(what, cause);
        tell(this.#options, { kind: 'connection-lost', error });
      },
    });
  }

  #consume(progress: () => void): Promise<void> {
    const consumption = new Consumption({
      kafka: this.#kafka,
      topic: this.#topic,
      subscribe: this.#options,
      handler: this.#handler,
      partitions: this.#partitions,
      reads: () => this.#joined.resolve(),
      progress,
    });
    this.#consumption = consumption;
    return consumption.run();
  }
}
