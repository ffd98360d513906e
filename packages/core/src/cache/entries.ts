/** What is known for one cache key. */
export interface Entry {
  /** The last good answer, if there was one, when it came, and what it weighs. */
  readonly hasValue: boolean;
  readonly value: unknown;
  readonly storedMs: number;
  readonly bytes: number;
  /** The error that is given instead of asking, until `errorUntilMs`. */
  readonly error: unknown;
  readonly errorUntilMs: number;
}

interface Limits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** The entries in memory, no more than the limits allow; those asked for longest ago go first. */
export class Entries {
  /** In the order in which they were last asked for. */
  readonly #entries = new Map<string, Entry>();
  #limits: Limits;
  #bytes = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  /** Keeps an entry in place of an older one; false where it is too heavy. */
  set(key: string, entry: Entry): boolean {
    this.delete(key);
    if (entry.bytes > this.#limits.maxBytes) return false;
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    this.#trim();
    return true;
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  limit(limits: Limits): void {
    this.#limits = limits;
    this.#trim();
  }

  #trim(): void {
    const { maxBytes, maxEntries } = this.#limits;
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= maxEntries && this.#bytes <= maxBytes) return;
      this.delete(key);
    }
  }
}
