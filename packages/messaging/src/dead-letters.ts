import { checkInteger } from './check.ts';
import type { DeadPage, MessageStore } from './store.ts';

/** Messages the broker refused for good, kept until somebody decides. */
export interface DeadLetters {
  /** The oldest first. `limit`: @default 100 (1 … 1_000). `after`: the `next` of the page before. */
  list(options?: { readonly limit?: number; readonly after?: number }): Promise<DeadPage>;

  /**
   * Queues them again for the topic they were accepted for, behind what waits now; each replay
   * stays in the message's history. Says how many of the ids were dead.
   */
  replay(ids: readonly string[]): Promise<number>;

  /** Forgets them for ever. Says how many of the ids were dead. */
  discard(ids: readonly string[]): Promise<number>;
}

/** `changed` is called when a replay has put messages into the queue. */
export function deadLetters(store: MessageStore, changed: () => void): DeadLetters {
  return {
    async list({ limit = 100, after } = {}) {
      checkInteger('dead.list.limit', limit, 1, 1_000);
      return store.listDead(after === undefined ? { limit } : { limit, after });
    },
    async replay(ids) {
      const replayed = await store.replay(ids);
      if (replayed > 0) changed();
      return replayed;
    },
    discard: (ids) => store.discard(ids),
  };
}
