import type { Hands } from '../consume/hands.ts';
import { GatheredLane } from './gathered-lane.ts';
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
  /** Records of a partition that may be in hand together. */
  readonly #gather: number;
  /** By partition, where they are gathered. */
  #gathered = new Map<number, GatheredLane>();
  /** Between leaving its partitions and reading some again. */
  #letGo = false;

  constructor(hands: Hands, read: KafkaLayout['messageOf'], membership: Membership, gather = 1) {
    this.#hands = hands;
    this.#read = read;
    this.#membership = membership;
    this.#gather = gather;
  }

  /** Begins nothing more until `beginAnew`; resolves when what is at work has been handled and committed. */
  async letGo(): Promise<void> {
    this.#letGo = true;
    await this.end();
  }

  /** What is given from now on begins when what is still at work has finished. */
  beginAnew(): void {
    this.#letGo = false;
    this.#gathered = new Map();
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
    const turn = this.#gather > 1 ? this.#laneOf(record).enter(commit) : undefined;
    this.#hands.give(this.#read(record), turn === undefined ? commit : () => turn.handled(), {
      ...(turn === undefined
        ? { lane: String(record.partition) }
        : { after: turn.begins, tried: turn.tried }),
      ...{ earlier, inLine },
      ours: () => {
        if (begun || !this.#ours()) return this.#ours();
        begun = true;
        return begin();
      },
    });
    await this.#hands.fewerThan(readAhead);
  }

  #laneOf({ partition }: KafkaMessage): GatheredLane {
    const known = this.#gathered.get(partition);
    if (known !== undefined) return known;
    const lane = new GatheredLane(this.#gather);
    this.#gathered.set(partition, lane);
    return lane;
  }

  /** What is left out here comes again with the stream that is begun then; behind it nothing may begin. */
  #ours(): boolean {
    if (this.#membership.isAlive()) return true;
    void this.letGo();
    this.#membership.lost();
    return false;
  }

  /** Begins nothing more; resolves when what is at work has been handled and committed. */
  async end(): Promise<void> {
    const ended = this.#hands.end();
    for (const lane of this.#gathered.values()) lane.release();
    await ended;
  }
}
