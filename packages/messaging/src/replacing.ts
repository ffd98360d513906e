import type { AppendMessage } from './store.ts';

/** A message that waits, as the one that takes its place sees it. */
export interface Waiting {
  readonly seq: number;
  /** When it enters the queue; 0 where it is in it. */
  readonly startMs: number;
  /** Since when it counts as due, where it is in the queue. */
  readonly acceptedMs: number;
  /** When the first of those that one after another took each other's place was accepted. */
  readonly sinceMs: number;
}

/** Where a message that replaces others stands. */
export interface Standing {
  /** When it enters the queue; 0: it is in it. */
  readonly startMs: number;
  readonly sinceMs: number;
  /** Whose place in the queue it takes; undefined: at the end. */
  readonly instead: Waiting | undefined;
}

/** Where a message stands that takes the place of `waiting`, which are all of its name, and may be none. */
export function standingOf(
  { replaces, delayMs = 0 }: AppendMessage,
  waiting: readonly Waiting[],
  nowMs: number,
): Standing {
  const sinceMs = Math.min(nowMs, ...waiting.map((each) => each.sinceMs));
  const inQueue = waiting
    .filter(({ startMs }) => startMs === 0)
    .reduce<Waiting | undefined>((a, b) => (a !== undefined && a.seq < b.seq ? a : b), undefined);
  if (replaces?.due === 'kept' && waiting.length > 0) {
    if (inQueue !== undefined) return { startMs: 0, sinceMs, instead: inQueue };
    const startMs = Math.min(...waiting.map((each) => each.startMs));
    return { startMs, sinceMs, instead: undefined };
  }
  const startMs = Math.min(nowMs + delayMs, sinceMs + (replaces?.maxWaitMs ?? Infinity));
  if (startMs > nowMs) return { startMs, sinceMs, instead: undefined };
  return { startMs: 0, sinceMs, instead: inQueue };
}
