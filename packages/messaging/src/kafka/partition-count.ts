import type { KafkaConsumer } from './module.ts';

/**
 * How many partitions a topic has. More may be added while it is read, and nobody tells: the group
 * is shared out anew only when a member asks for it.
 */
export class PartitionCount {
  #first: number | undefined;
  #last: number | undefined;

  /** Partitions from this one on were added after this process had begun to read. */
  get first(): number {
    return this.#first ?? Number.POSITIVE_INFINITY;
  }

  /** Whether there are more than when this was asked before; not where nobody can say. */
  async hasGrown(consumer: Pick<KafkaConsumer, 'metadata'>, topic: string): Promise<boolean> {
    // A broker that is away is noticed by others, and asked again.
    const known = await consumer
      .metadata({ topics: [topic], forceUpdate: true })
      .catch(() => undefined);
    const count = known?.topics.get(topic)?.partitionsCount;
    if (count === undefined || count === 0) return false;
    const before = this.#last ?? count;
    this.#first ??= count;
    // A topic that was taken away and made anew has as many as it has.
    if (count < before) this.#first = Math.min(this.#first, count);
    this.#last = count;
    return count > before;
  }
}
