import { answered } from '../answered.ts';
import type { KafkaConsumer, KafkaMessage, KafkaStart } from './module.ts';
import type { ResolvedKafkaOptions } from './options.ts';
import { startedText, timesStarted } from './started-text.ts';

/**
 * How often the first uncommitted record of each partition was begun by processes that did not come to commit it. Kafka
 * counts nothing, but keeps a text with each committed offset: before the first record of a partition is handed over,
 * its own offset is committed once more, with the count. Whatever is committed behind it has no text, and so no count.
 * That is one commit for each partition of an assignment. What cannot be read or written is not counted: the
 * messages come all the same.
 */
export class FirstStarts {
  readonly #options: Pick<ResolvedKafkaOptions, 'kafka' | 'clock' | 'timeoutMs'>;
  readonly #consumer: KafkaConsumer;
  readonly #topic: string;
  #committed = new Map<number, KafkaStart>();
  #seen = new Set<number>();

  constructor(
    options: Pick<ResolvedKafkaOptions, 'kafka' | 'clock' | 'timeoutMs'>,
    consumer: KafkaConsumer,
    topic: string,
  ) {
    this.#options = options;
    this.#consumer = consumer;
    this.#topic = topic;
  }

  /** Begins anew with the partitions that are ours now. */
  async read(): Promise<void> {
    this.#seen = new Set();
    this.#committed = await answered(this.#fetch(), this.#options).catch(() => new Map());
  }

  /** Times its record was begun before; undefined where it is not the first of its partition. */
  first({ offset, partition }: KafkaMessage): number | undefined {
    if (this.#seen.has(partition)) return undefined;
    this.#seen.add(partition);
    const committed = this.#committed.get(partition);
    // Of a record that retention has taken away since, nobody died again.
    return committed?.committedOffset === offset ? timesStarted(committed.metadata) : 0;
  }

  /** It is about to be begun, for the `times`th time. */
  async note(record: KafkaMessage, times: number): Promise<void> {
    const { leaderEpoch, offset, partition } = record;
    const start = {
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch,
      committedMetadata: startedText(times),
    };
    const { generationId, groupId, memberId } = this.#consumer;
    const commit = this.#options.kafka.offsetCommitV8?.api;
    if (commit === undefined || memberId === null) return;
    const topics = [{ name: this.#topic, partitions: [start] }];
    const committed = this.#coordinator().then((connection) =>
      commit.async(connection, groupId, generationId, memberId, null, topics),
    );
    await answered(committed, this.#options).catch(() => {});
  }

  async #fetch(): Promise<Map<number, KafkaStart>> {
    const { assignments, groupId } = this.#consumer;
    const partitions = assignments?.find(({ topic }) => topic === this.#topic)?.partitions ?? [];
    const fetch = this.#options.kafka.offsetFetchV8?.api;
    if (fetch === undefined || partitions.length === 0) return new Map();
    const topics = [{ name: this.#topic, partitionIndexes: [...partitions] }];
    const asked = [{ groupId, memberId: null, memberEpoch: -1, topics }];
    const answer = await fetch.async(await this.#coordinator(), asked, false);
    const starts = answer.groups.flatMap((group) =>
      group.topics.flatMap((topic) => topic.partitions),
    );
    return new Map(starts.map((start) => [start.partitionIndex, start]));
  }

  /** Where the group commits, over the connection that the client has to it. */
  async #coordinator(): Promise<unknown> {
    const { connections, coordinatorId, currentMetadata } = this.#consumer;
    const broker = currentMetadata?.brokers.get(coordinatorId ?? -1);
    if (broker === undefined) throw new Error('the coordinator of the group is not known');
    return await connections.get(broker);
  }
}
