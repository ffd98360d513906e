interface Entry<Value> {
  readonly key: string;
  value: Value;
  newer: Entry<Value> | undefined;
  older: Entry<Value> | undefined;
}

/**
 * A map that forgets what was used least recently.
 *
 * Reading moves an entry within a list. The usual trick, deleting and inserting
 * again to keep a `Map` in order, churns the map on every call, and churned maps
 * cost the garbage collector dearly (three times the memory in our measurements).
 */
export class Recent<Value> {
  readonly #limit: number;
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #dropped: (value: Value, key: string) => void;
  #newest: Entry<Value> | undefined;
  #oldest: Entry<Value> | undefined;

  constructor(limit: number, dropped: (value: Value, key: string) => void = () => {}) {
    this.#limit = limit;
    this.#dropped = dropped;
  }

  get(key: string): Value | undefined {
    // Mostly it is the same key again.
    if (this.#newest?.key === key) return this.#newest.value;
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#unlink(entry);
    this.#link(entry);
    return entry.value;
  }

  /** Puts `value` in place; over the limit the one longest unused goes. */
  set(key: string, value: Value): void {
    const known = this.#entries.get(key);
    if (known !== undefined) this.#unlink(known);
    const entry = { key, value, newer: undefined, older: undefined };
    this.#entries.set(key, entry);
    this.#link(entry);
    while (this.#entries.size > this.#limit) this.#dropOldest();
  }

  /** Puts another value in the place of one that is there, without using it. */
  put(key: string, value: Value): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.value = value;
  }

  /** Takes all out. */
  clear(): void {
    for (const { key, value } of this.#entries.values()) this.#dropped(value, key);
    this.#entries.clear();
    this.#newest = undefined;
    this.#oldest = undefined;
  }

  *entries(): Iterable<[key: string, value: Value]> {
    for (const { key, value } of this.#entries.values()) yield [key, value];
  }

  #dropOldest(): void {
    const entry = this.#oldest;
    if (entry === undefined) return;
    this.#entries.delete(entry.key);
    this.#unlink(entry);
    this.#dropped(entry.value, entry.key);
  }

  #link(entry: Entry<Value>): void {
    entry.older = this.#newest;
    if (this.#newest !== undefined) this.#newest.newer = entry;
    this.#newest = entry;
    this.#oldest ??= entry;
  }

  /** Leaves it pointing at nobody: one that is old already would keep all younger ones from being collected young. */
  #unlink(entry: Entry<Value>): void {
    const { newer, older } = entry;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    entry.newer = undefined;
    entry.older = undefined;
  }
}
