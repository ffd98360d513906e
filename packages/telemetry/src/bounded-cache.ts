/**
 * Finds what belongs to a key that a caller may choose, and makes it the first
 * time. Beyond `limit` keys, all others share what belongs to `rest`, so that
 * whoever makes up keys fills nothing.
 *
 * The key asked for last is remembered: calls come in runs, and comparing is
 * cheaper than hashing.
 */
export class BoundedCache<Key, Value> {
  readonly #values = new Map<Key, Value>();
  readonly #limit: number;
  readonly #make: (key: Key) => Value;
  readonly #restKey: Key;
  #rest: Value | undefined;
  #lastKey: Key | undefined;
  #lastValue: Value | undefined;

  constructor(limit: number, rest: NoInfer<Key>, make: (key: Key) => Value) {
    this.#limit = limit;
    this.#restKey = rest;
    this.#make = make;
  }

  /** Whether a new key would share with the rest. */
  get full(): boolean {
    return this.#values.size >= this.#limit;
  }

  has(key: Key): boolean {
    return this.#values.has(key);
  }

  get(key: Key): Value {
    if (key === this.#lastKey) return this.#lastValue!;
    let value = this.#values.get(key);
    if (value === undefined) {
      if (this.#values.size >= this.#limit) {
        this.#rest ??= this.#make(this.#restKey);
        return this.#rest;
      }
      value = this.#make(key);
      this.#values.set(key, value);
    }
    this.#lastKey = key;
    this.#lastValue = value;
    return value;
  }
}
