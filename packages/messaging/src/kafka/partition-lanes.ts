import type { Hands } from '../consume/hands.ts';
import type { KafkaLayout } from './layout.ts';
import type { KafkaMessage } from './module.ts';

/** Whether the group still counts on this member. */
export interface Membership {
  isAlive(): boolean;
  /** Called when a record was not begun because it does not. */
  lost(): unknown;
}

export interface Giving {
  /** No more than so many are at work or wait for it. */
  readonly readAhead: number;
  /** Times it was begun before, and how many of these it may only have been at work beside others. @default 0 */
  readonly earlier?: number;
  readonly inLine?: number;
  /** Writes down that it begins, before it does. @default nothing is written */
  readonly note?: () => Promise<void>;
}

/**
 * Hands over records, each partition in its own order, while the group's
 * assignments come and go.
 *
 * Before the group is shared out anew, what is at work is to be finished, since
 * the next member begins with it. What was read and has not begun is dropped: it
 * comes again, here or at another member, in a stream behind the last commits. A
 * process that was stopped for so long that others have its partitions begins
 * nothing of them.
 */
export class PartitionLanes {
  #hands: Hands;
  readonly #read: KafkaLayout['messageOf'];
  readonly #membership: Membership;
  /** Between leaving its partitions and reading some again. */
  #letGo = false;

  constructor(hands: Hands, read: KafkaLayout['messageOf'], membership: Membership) {
    this.#hands = hands;
    this.#read = read;
    this.#membership = membership;
  }

  /** Begins nothing more until `beginAnew`; resolves when what is at work has been handled and committed. */
  async letGo(): Promise<void> {
    this.#letGo = true;
    await this.#hands.end();
  }

  /** What is given from now on begins when what is still at work has finished. */
  beginAnew(): void {
    this.#letGo = false;
    this.#hands = this.#hands.next();
  }

  /** Resolves when there is room for more than this one. */
  async give(
    record: KafkaMessage,
    commit: () => Promise<void>,
    { earlier = 0, inLine = 0, note, readAhead }: Giving,
  ): Promise<void> {
    if (this.#letGo) return;
    const begin = async () => {
      await note?.();
      return this.#ours();
    };
    let begun = note === undefined;
    this.#hands.give(this.#read(record), commit, {
      ...{ lane: String(record.partition), earlier, inLine },
      ours: () => {
        if (begun || !this.#ours()) return this.#ours();
        begun = true;
        return begin();
      },
    });
    await this.#hands.fewerThan(readAhead);
  }

  /** What is left out here comes again with the stream that is begun then; behind it nothing may begin. */
  #ours(): boolean {
    if (this.#membership.isAlive()) return true;
    void this.letGo();
    this.#membership.lost();
    return false;
  }

  /** Begins nothing more; resolves when what is at work has been handled and committed. */
  end(): Promise<void> {
    return this.#hands.end();
  }
}
