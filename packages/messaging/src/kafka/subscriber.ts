import type { Subscription } from '../broker.ts';
import type { Handling } from '../consume/giving-up.ts';
import { KeptSubscription } from '../consume/kept-subscription.ts';
import type { ResolvedSubscribeOptions } from '../consume/subscribe-options.ts';
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
  readonly #kept: KeptSubscription;
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
    this.#kept = new KeptSubscription({
      clock: kafka.clock,
      reconnectMs: kafka.reconnectMs,
      subscribe: options,
      lossOf: (cause) => `Kafka's consumer of "${topic}" was lost: ${reasonOf(cause)}`,
    });
    this.#kept.begin((progress) => this.#consume(progress));
  }

  /** Resolves when it has joined its group for the first time. */
  get joined(): Promise<void> {
    return this.#kept.joined;
  }

  async close(): Promise<void> {
    const ended = this.#kept.close();
    await this.#consumption?.close();
    await ended;
  }

  #consume(progress: () => void): Promise<void> {
    const consumption = new Consumption({
      kafka: this.#kafka,
      topic: this.#topic,
      subscribe: this.#options,
      handler: this.#handler,
      partitions: this.#partitions,
      reads: () => this.#kept.hasJoined(),
      progress,
    });
    this.#consumption = consumption;
    return consumption.run();
  }
}
