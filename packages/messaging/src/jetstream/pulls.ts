import type { JetStreamMessage } from './module.ts';

/** How long one request for messages stands; a new one follows. */
const PULL_MS = 30_000;

/** What NATS allows at least. */
const SHORT_PULL_MS = 1_000;

/** A request for messages. */
export interface Pull {
  readonly max_messages: number;
  readonly expires: number;
}

/** As many as there is room for. */
export const pullAll = (room: number): Pull => ({ max_messages: room, expires: PULL_MS });

/** One, and nothing is asked for while it is in hand: to a request of somebody who has gone 2.9 may send it, which counts. */
export const PULL_ONE: Pull = { max_messages: 1, expires: PULL_MS };

/**
 * A request where messages are given up: so that no two come together that were delivered before, since each would
 * count one more if the other ends this process. NATS sends those before anything new: one is asked for, and only when
 * that is new so many of those behind it as wait already. `got` is what the request before this one brought.
 */
export function pullOnTrial(room: number, got: readonly Pick<JetStreamMessage, 'info'>[]): Pull {
  const pending = got.at(-1)?.info.pending ?? 0;
  const isNew = got.every(({ info }) => info.deliveryCount === 1);
  if (!isNew || pending === 0) return PULL_ONE;
  return { max_messages: Math.min(room, pending), expires: SHORT_PULL_MS };
}
