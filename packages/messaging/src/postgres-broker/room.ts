/** What was measured of a topic. */
interface Measure {
  readonly group: string;
  readonly untilMs: number;
  /** Where there is no room left, it is counted again sooner. */
  readonly fullUntilMs: number;
  left: number;
}

/** The fullest group of a topic. */
export interface Waiting {
  readonly topic: string;
  readonly name: string;
  readonly waiting: number;
}

/** A count is believed for so long at least: others publish as well. */
const BELIEVE_MS = 5_000;
/** Where there is no room left, for so long. */
const BELIEVE_FULL_MS = 1_000;
const BELIEVE_AT_MOST_MS = 60_000;
/** Topics are named by callers. */
const MOST_TOPICS = 1_000;

/**
 * How many messages of each topic may still be published. Counting is costly where many wait, so what
 * was counted is used up to a half, and for a hundred times as long as it took, from five seconds to a
 * minute; where there is no room, for ten times as long.
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
      const { fullUntilMs, left, untilMs } = measure;
      if (nowMs >= (left === 0 ? fullUntilMs : untilMs)) return [topic];
      return left > 0 && count > left / 2 ? [topic] : [];
    });
  }

  /** Topics without a group are in none of the rows. Counted from `fromMs` to `nowMs`. */
  measured(
    topics: readonly string[],
    rows: readonly Waiting[],
    { fromMs, nowMs }: { readonly fromMs: number; readonly nowMs: number },
  ): void {
    const tookMs = nowMs - fromMs;
    const untilMs = nowMs + clamp(tookMs * 100, BELIEVE_MS);
    const fullUntilMs = nowMs + clamp(tookMs * 10, BELIEVE_FULL_MS);
    if (this.#topics.size > MOST_TOPICS) this.#topics.clear();
    for (const topic of topics) this.#topics.delete(topic);
    for (const { topic, name, waiting } of rows) {
      const left = Math.max(0, this.#most - waiting);
      this.#topics.set(topic, { group: name, untilMs, fullUntilMs, left });
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

function clamp(ms: number, leastMs: number): number {
  return Math.min(BELIEVE_AT_MOST_MS, Math.max(leastMs, ms));
}
