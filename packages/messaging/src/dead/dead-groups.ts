import type { MessageStore } from '../store.ts';
import { chosenLetters, type DeadChoice } from './choose.ts';
import { reasonGroup } from './reason-group.ts';

/** Dead letters of one topic with one cause. */
export interface DeadGroup {
  readonly topic: string;
  /** The reason without what differs from one to the next. */
  readonly reason: string;
  readonly count: number;
  /** How long the one that has been dead the longest has been so, in milliseconds. */
  readonly oldestMs: number;
  /** Up to five of them. */
  readonly ids: readonly string[];
}

const EXAMPLES = 5;
/** Groups beyond are put together: reasons come from outside, and may all differ. */
const MOST_GROUPS = 1_000;

/** What died and why, the largest group first. Reads every letter that is meant. */
export async function deadGroups(
  store: MessageStore,
  choice: DeadChoice,
): Promise<readonly DeadGroup[]> {
  const groups = new Map<string, { -readonly [K in keyof DeadGroup]: DeadGroup[K] }>();
  for await (const { message, reason, deadForMs } of chosenLetters(store, choice)) {
    const { topic, id } = message;
    const own = `${topic}\n${reasonGroup(reason)}`;
    const known = groups.has(own) || groups.size < MOST_GROUPS;
    const key = known ? own : `${topic}\n(other reasons)`;
    const group = groups.get(key) ?? {
      topic,
      reason: key.slice(topic.length + 1),
      count: 0,
      oldestMs: 0,
      ids: [],
    };
    group.count += 1;
    group.oldestMs = Math.max(group.oldestMs, deadForMs);
    if (group.ids.length < EXAMPLES) group.ids = [...group.ids, id];
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.count - a.count);
}
