import { forgiving } from '../consume/forgiving.ts';
import type { Handling } from '../consume/giving-up.ts';
import { Hands } from '../consume/hands.ts';
import type { ResolvedSubscribeOptions } from '../consume/subscribe-options.ts';
import { ASSIGNMENTS } from './assigners/assignment.ts';
import { beginAtEnd } from './begin-at-end.ts';
import { FirstStarts } from './first-starts.ts';
import { membership } from './membership.ts';
import type { KafkaConsumer, KafkaConsumerOptions, KafkaMessage, KafkaStream } from './module.ts';
import { clientOptions, ISOLATION_LEVELS, type ResolvedKafkaOptions } from './options.ts';
import type { PartitionCount } from './partition-count.ts';
import { type Giving, PartitionLanes } from './partition-lanes.ts';
import { holdfastLayout } from './records.ts';

export interface ConsumptionOptions {
  readonly kafka: ResolvedKafkaOptions;
  readonly topic: string;
  readonly subscribe: ResolvedSubscribeOptions;
  readonly handler: Handling;
  /** Of the topic, as far as this process has seen. */
  readonly partitions: PartitionCount;
  /** Called when it reads, and whenever a record was handled and committed. */
  readonly reads: () => void;
  readonly progress: () => void;
}

/** Records that wait for their turn: enough to go on in other partitions while one waits to try again. */
const READ_AHEAD = 1_000;

/**
 * One consumer, from joining its group to its loss; it does not come back by itself. Whenever the
 * group is shared out anew it reads from a new stream, behind the last commits: the client's own goes
 * on behind whatever a fetch that was under way brings, and never reads what lies between.
 */
export class Consumption {
  readonly #options: ConsumptionOptions;
  readonly #consumer: KafkaConsumer;
  readonly #lanes: PartitionLanes;
  readonly #isAlive: () => boolean;
  /** Where nothing is given up, nobody asks. */
  readonly #starts: FirstStarts | undefined;
  readonly #watching = new AbortController();
  #stream: KafkaStream | undefined;
  #joins = 0;
  #closed = false;
  #failure: unknown;

  constructor(options: ConsumptionOptions) {
    const { handler, kafka, subscribe, topic } = options;
    this.#options = options;
    this.#consumer = new kafka.kafka.Consumer(this.#consumerOptions());
    this.#isAlive = membership(this.#consumer, kafka);
    if (subscribe.giveUp !== undefined) {
      this.#starts = new FirstStarts(kafka, this.#consumer, topic);
    }
    const hands = new Hands(handler, subscribe, kafka.clock);
    const lost = () => this.#lost();
    const read = (record: KafkaMessage) =>
      forgiving(
        () => kafka.layout.messageOf(record),
        () => holdfastLayout.messageOf(record),
        subscribe,
      );
    this.#lanes = new PartitionLanes(
      hands,
      read,
      { isAlive: this.#isAlive, lost },
      subscribe.gather,
    );
    // Nobody else hears of a rejoin that failed. Such a consumer would read on and commit nothing.
    this.#consumer.on('error', (error) => void this.#fail(error));
    this.#consumer.on('consumer:group:join', () => {
      this.#joins += 1;
      void this.#lanes.letGo();
      void this.#endStream();
    });
  }

  /** Resolves when it was closed; rejects when it was lost. */
  async run(): Promise<void> {
    const { partitions, topic } = this.#options;
    try {
      await partitions.hasGrown(this.#consumer, topic);
      // Beside what a stream says, so that between two of them it stays in its group.
      this.#consumer.topics.track(topic);
      await this.#consumer.joinGroup();
      void this.#watch();
      while (!this.#closed && this.#failure === undefined) await this.#read();
      if (this.#failure !== undefined) throw this.#failure;
    } finally {
      this.#watching.abort();
      await this.#lanes.end();
      // Leaving the group may fail as the broker is gone; the session then ends by its time-out.
      await this.#consumer.close(true).catch(() => {});
    }
  }

  /** Has it end; `run` tells when it has. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#endStream();
  }

  /** Where the topic has more partitions, the group is shared out anew, as soon as its leader sees it. */
  async #watch(): Promise<void> {
    const { kafka, partitions, topic } = this.#options;
    const { signal } = this.#watching;
    for (;;) {
      await kafka.clock.sleep(kafka.partitionsMs, signal).catch(() => {});
      if (signal.aborted) return;
      const grown = await partitions.hasGrown(this.#consumer, topic);
      if (!grown || signal.aborted) continue;
      await this.#consumer.joinGroup().catch((error: unknown) => this.#fail(error));
    }
  }

  /** Until the stream ends, which it does by error or by `#endStream` alone. */
  async #read(): Promise<void> {
    const { kafka, partitions, reads, topic } = this.#options;
    const { initialOffset } = kafka;
    const joins = this.#joins;
    if (initialOffset === 'latest') {
      await beginAtEnd(this.#consumer, topic, partitions.first);
    }
    const stream = await this.#consumer.consume({
      topics: [topic],
      mode: 'committed',
      fallbackMode: initialOffset,
      autocommit: false,
    });
    this.#stream = stream;
    await this.#starts?.read();
    // The iterator below rejects with the same error; without a listener it would end the process.
    stream.on('error', () => {});
    this.#lanes.beginAnew();
    if (this.#closed || this.#failure !== undefined || this.#joins !== joins) {
      void this.#lanes.letGo();
      void this.#endStream();
    } else reads();
    try {
      for await (const record of stream) {
        await this.#lanes.give(record, () => this.#commit(record), this.#giving(record));
      }
    } finally {
      this.#stream = undefined;
    }
  }

  #giving(record: KafkaMessage): Giving {
    const { concurrency, gather } = this.#options.subscribe;
    const earlier = this.#starts?.first(record);
    const readAhead = Math.max(READ_AHEAD, 2 * gather);
    if (earlier === undefined) return { readAhead };
    return {
      ...{ readAhead, earlier },
      // Each of those at work was begun, and one alone ended the process.
      inLine: concurrency > 1 || gather > 1 ? 1 : 0,
      note: async () => this.#starts?.note(record, earlier + 1),
    };
  }

  async #commit(record: KafkaMessage): Promise<void> {
    // Said now, it would take back what the partition's next owner has said.
    if (!this.#isAlive()) return this.#lost();
    if (!isAssigned(this.#consumer, record)) return;
    const { leaderEpoch, offset, partition, topic } = record;
    const offsets = [{ topic, partition, offset: offset + 1n, leaderEpoch }];
    try {
      // Not the record's own: that one waits for the end of a rebalance, which waits for this.
      await this.#consumer.commit({ offsets });
      this.#options.progress();
    } catch (error) {
      await this.#fail(error);
    }
  }

  #lost(): Promise<void> {
    const { sessionTimeoutMs } = this.#options.kafka;
    return this.#fail(new Error(`its group was not heard of for ${sessionTimeoutMs} ms`));
  }

  async #fail(error: unknown): Promise<void> {
    this.#failure ??= error;
    await this.#endStream();
  }

  /** One that cannot even close ends by its error. */
  async #endStream(): Promise<void> {
    await this.#stream?.close().catch(() => {});
  }

  /** Before it joins anew, and its partitions may be another's: not for longer than it would be missed. */
  async #letGo(): Promise<void> {
    // Where the group has done without it, others have its partitions already.
    if (this.#consumer.memberId === null) return;
    const { clock, sessionTimeoutMs } = this.#options.kafka;
    const patience = new AbortController();
    const late = clock.sleep(sessionTimeoutMs / 2, patience.signal).catch(() => {});
    await Promise.race([this.#lanes.letGo(), late]);
    patience.abort();
  }

  #consumerOptions(): KafkaConsumerOptions {
    const { kafka, subscribe, topic } = this.#options;
    const { assignment, fetchMinBytes, fetchPartitionBytes, memberName, sessionTimeoutMs } = kafka;
    const { assigner, metadata, version } = ASSIGNMENTS[assignment];
    return {
      ...clientOptions(kafka),
      groupId: subscribe.group,
      // A static member: the same process, restarted, has its partitions back at once instead of
      // after the session time-out of its predecessor.
      groupInstanceId: `${memberName}-${topic}`,
      protocols: [{ name: assignment, version }],
      protocolsMetadata: () => this.#letGo().then(() => metadata(this.#consumer)),
      partitionAssigner: assigner,
      autocommit: false,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs * 2,
      heartbeatInterval: kafka.heartbeatMs ?? Math.floor(sessionTimeoutMs / 5),
      maxWaitTime: 500,
      ...(fetchMinBytes === undefined ? {} : { minBytes: fetchMinBytes }),
      ...(fetchPartitionBytes === undefined ? {} : { maxBytesPerPartition: fetchPartitionBytes }),
      highWaterMark: 100,
      isolationLevel: ISOLATION_LEVELS[kafka.isolation],
    };
  }
}

function isAssigned({ assignments }: KafkaConsumer, { topic, partition }: KafkaMessage): boolean {
  return (
    assignments?.some((each) => each.topic === topic && each.partitions.includes(partition)) ??
    false
  );
}
