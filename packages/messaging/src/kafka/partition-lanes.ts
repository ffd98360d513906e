import type { Hands } from '../hands.ts';
import type { KafkaLayout } from './layout.ts';
import type { KafkaMessage } from './module.ts';

/**
 * Hands over a stream's records, each partition in its own order, while the
 * group's assignments come and go.
 *
 * After a rebalance the stream begins again behind the last commits. What was
 * read before and has not begun is dropped, since it comes again, here or at
 * another member; what it has buffered meanwhile would come twice, and a fetch
 * that was under way may bring records of a partition that is another member's.
 * Before one, what is at work is to be finished: the next member begins with it.
 */
export class PartitionLanes {
  #hands: Hands;
  readonly #layout: KafkaLayout;
  /** By partition: the offset that comes next. */
  readonly #next = new Map<number, bigint>();
  /** Between leaving its partitions and having some again. */
  #letGo = false;

  constructor(hands: Hands, layout: KafkaLayout) {
    this.#hands = hands;
    this.#layout = layout;
  }

  /** Begins nothing more until `rebalanced`; resolves when what is at work has been handled and committed. */
  async letGo(): Promise<void> {
    this.#letGo = true;
    await this.#hands.end();
  }

  rebalanced(): void {
    this.#letGo = false;
    this.#hands = this.#hands.next();
    this.#next.clear();
  }

  /** Resolves when there is room for more than this one. */
  async give(
    record: KafkaMessage,
    mine: boolean,
    commit: () => Promise<void>,
    readAhead: number,
  ): Promise<void> {
    const { offset, partition } = record;
    if (this.#letGo || !mine || offset < (this.#next.get(partition) ?? 0n)) return;
    this.#next.set(partition, offset + 1n);
    this.#hands.give(this.#layout.messageOf(record), commit, { lane: String(partition) });
    await this.#hands.fewerThan(readAhead);
  }

  /** Begins nothing more; resolves when what is at work has been handled and committed. */
  end(): Promise<void> {
    return this.#hands.end();
  }
}
