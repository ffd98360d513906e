/** What was measured of a topic. */
interface Measure {
  readonly group: string;
  readonly atMs: number;
  left: number;
}

/** The fullest group of a topic. */
export interface Waiting {
  readonly topic: string;
  readonly name: string;
  readonly waiting: number;
}

/** A measure is believed for so long: others publish as well. */
const BELIEVE_MS = 5_000;
/** Where there is no room left, for so long: counting a million rows takes a while. */
const BELIEVE_FULL_MS = 1_000;
/** Topics are named by callers. */
const MOST_TOPICS = 1_000;

/**
 * How many messages of each topic may still be published. Counting is costly where many wait, so what
 * was counted is used up to a half, and for a few seconds.
 */
export class Room {
  readonly #most: number;
  readonly #topics = new Map<string, Measure>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Of `wanted` (messages by topic) those topics that are to be counted before anything is sent. */
  unsure(wanted: ReadonlyMap<string, number>, nowMs: number): readonly string[] {
    return [...wanted].flatMap(([topic, count]) => {
      const measure = this.#topics.get(topic);
      if (measure === undefined) return [topic];
      const { atMs, left } = measure;
      if (nowMs - atMs >= (left === 0 ? BELIEVE_FULL_MS : BELIEVE_MS)) return [topic];
      return left > 0 && count > left / 2 ? [topic] : [];
    });
  }

  /** Topics without a group are in none of the rows. */
  measured(topics: readonly string[], rows: readonly Waiting[], nowMs: number): void {
    if (this.#topics.size > MOST_TOPICS) this.#topics.clear();
    for (const topic of topics) this.#topics.delete(topic);
    for (const { topic, name, waiting } of rows) {
      const left = Math.max(0, this.#most - waiting);
      this.#topics.set(topic, { group: name, atMs: nowMs, left });
    }
  }

  /** Takes a place for one message of `topic`; says why there is none. */
  take(topic: string): string | undefined {
    const measure = this.#topics.get(topic);
    if (measure === undefined) return undefined;
    if (measure.left === 0) {
      return `the group "${measure.group}" of "${topic}" has no room: ${this.#most} messages may wait for it (postgresBroker.maxMessages)`;
    }
    measure.left -= 1;
    return undefined;
  }
}
