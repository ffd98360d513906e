import type { Handler, Subscription } from '../broker.ts';
import { BrokerUnavailableError } from '../errors.ts';
import { Hands } from '../hands.ts';
import { keepConsuming } from '../keep-consuming.ts';
import { type ResolvedSubscribeOptions, tell } from '../subscribe-options.ts';
import { beginAtEnd } from './begin-at-end.ts';
import type { KafkaConsumer, KafkaConsumerOptions, KafkaMessage, KafkaStream } from './module.ts';
import { clientOptions, type ResolvedKafkaOptions } from './options.ts';
import { PartitionLanes } from './partition-lanes.ts';
import { rangeAssigner } from './range-assigner.ts';

/** Records that wait for their turn: enough to go on in other partitions while one waits to try again. */
const READ_AHEAD = 1_000;

/**
 * One member of a consumer group. The client's stream ends with an error when
 * its broker goes away and does not come back, so each loss is answered with a
 * new consumer that continues behind the last commit.
 */
export class KafkaSubscriber implements Subscription {
  readonly #kafka: ResolvedKafkaOptions;
  readonly #options: ResolvedSubscribeOptions;
  readonly #topic: string;
  readonly #handler: Handler;
  readonly #closing = new AbortController();
  readonly #joined = Promise.withResolvers<void>();
  readonly #ended: Promise<void>;
  #stream: KafkaStream | undefined;

  constructor(
    kafka: ResolvedKafkaOptions,
    topic: string,
    options: ResolvedSubscribeOptions,
    handler: Handler,
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
    await this.#stream?.close().catch(() => {});
    await this.#ended;
  }

  #run(): Promise<void> {
    const { clock, reconnectMs } = this.#kafka;
    return keepConsuming((progress) => this.#consume(progress), {
      clock,
      reconnectMs,
      signal: this.#closing.signal,
      lost: (cause) => {
        const why = cause instanceof Error ? cause.message : String(cause);
        const what = `Kafka's consumer of "${this.#topic}" was lost: ${why}`;
        const error = new BrokerUnavailableError(what, cause);
        tell(this.#options, { kind: 'connection-lost', error });
      },
    });
  }

  /** Consumes until the stream ends, which it does by error or by `close` alone. */
  async #consume(progress: () => void): Promise<void> {
    const { clock, initialOffset, kafka, layout } = this.#kafka;
    const lanes = new PartitionLanes(new Hands(this.#handler, this.#options, clock), layout);
    const consumer: KafkaConsumer = new kafka.Consumer({
      ...this.#consumerOptions(),
      protocolsMetadata: async () => {
        // Where the group has done without it, others have its partitions already.
        if (consumer.memberId !== null) await this.#letGo(lanes);
        return Buffer.alloc(0);
      },
    });
    let failure: unknown;
    const fail = async (error: unknown) => {
      failure ??= error;
      // Ends the loop below; a stream that cannot even close ends it by its error.
      await this.#stream?.close().catch(() => {});
    };
    // Nobody else hears of a rejoin that failed. Such a consumer would read on and commit nothing.
    consumer.on('error', (error) => void fail(error));
    consumer.on('consumer:group:join', () => lanes.rebalanced());
    const commit = async ({ leaderEpoch, offset, partition, topic }: KafkaMessage) => {
      try {
        // Not the record's own: that one waits for the end of a rebalance, which waits for this.
        await consumer.commit({
          offsets: [{ topic, partition, offset: offset + 1n, leaderEpoch }],
        });
        progress();
      } catch (error) {
        await fail(error);
      }
    };
    try {
      if (initialOffset === 'latest') await beginAtEnd(consumer, this.#topic);
      const stream = await consumer.consume({
        topics: [this.#topic],
        mode: 'committed',
        fallbackMode: initialOffset,
        autocommit: false,
      });
      this.#stream = stream;
      // The iterator below rejects with the same error; without a listener it would end the process.
      stream.on('error', () => {});
      // Closed while it was joining, when there was no stream to close.
      if (this.#closing.signal.aborted) {
        await stream.close();
        return;
      }
      this.#joined.resolve();
      if (failure !== undefined) throw failure;
      for await (const record of stream) {
        await lanes.give(record, isMine(consumer, record), () => commit(record), READ_AHEAD);
      }
      if (failure !== undefined) throw failure;
    } finally {
      this.#stream = undefined;
      await lanes.end();
      // Leaving the group may fail as the broker is gone; the session then ends by its time-out.
      await consumer.close(true).catch(() => {});
    }
  }

  /** Before it joins anew, and its partitions may be another's: not for longer than it would be missed. */
  async #letGo(lanes: PartitionLanes): Promise<void> {
    const { clock, sessionTimeoutMs } = this.#kafka;
    const patience = new AbortController();
    const late = clock.sleep(sessionTimeoutMs / 2, patience.signal).catch(() => {});
    await Promise.race([lanes.letGo(), late]);
    patience.abort();
  }

  #consumerOptions(): Omit<KafkaConsumerOptions, 'protocolsMetadata'> {
    const { memberName, sessionTimeoutMs } = this.#kafka;
    return {
      ...clientOptions(this.#kafka),
      groupId: this.#options.group,
      // A static member: the same process, restarted, has its partitions back at once instead of
      // after the session time-out of its predecessor.
      groupInstanceId: `${memberName}-${this.#topic}`,
      protocols: [{ name: 'range', version: 1 }],
      partitionAssigner: rangeAssigner,
      autocommit: false,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs * 2,
      heartbeatInterval: Math.floor(sessionTimeoutMs / 5),
      maxWaitTime: 500,
      highWaterMark: 100,
    };
  }
}

function isMine({ assignments }: KafkaConsumer, { topic, partition }: KafkaMessage): boolean {
  return (
    assignments?.some((each) => each.topic === topic && each.partitions.includes(partition)) ??
    false
  );
}
