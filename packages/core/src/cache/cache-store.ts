/**
 * Where processes share answers. It speaks in durations and measures with its
 * own clock.
 *
 * 1. What `get` gives has been given to `set` for that key, and is not older than it was to be kept.
 * 2. It may forget anything at any time.
 * 3. A store that cannot answer rejects; who asked then does without.
 */
export interface CacheStore {
  get(key: string): Promise<StoredAnswer | undefined>;
  /** Keeps an answer for `keepMs`, in place of an older one. */
  set(key: string, value: unknown, keepMs: number): Promise<void>;
  /** Forgets an answer; nothing where there is none. */
  delete(key: string): Promise<void>;
  /** Forgets every answer whose key begins so. A store without it cannot serve `invalidateAll`. */
  clear?(prefix: string): Promise<void>;
}

export interface StoredAnswer {
  readonly value: unknown;
  /** Since it was kept. */
  readonly ageMs: number;
}
