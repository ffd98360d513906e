/** Keeps what was made for the last `limit` keys asked for; of more, the one asked for longest ago goes. */
export class Lru<K, V> {
  #limit: number;
  readonly #make: (key: K) => V;
  /** In the order in which they were asked for: a Map keeps that of insertion. */
  readonly #values = new Map<K, V>();
  #lastKey: K | undefined = undefined;
  #lastValue: V | undefined = undefined;

  constructor(limit: number, make: (key: K) => V) {
    this.#limit = limit;
    this.#make = make;
  }

  get size(): number {
    return this.#values.size;
  }

  /** From now on keeps no more than `limit`. */
  keep(limit: number): void {
    this.#limit = limit;
    for (const key of this.#values.keys()) {
      if (this.#values.size <= limit) return;
      this.#values.delete(key);
    }
  }

  get(key: K): V {
    // Mostly it is the same key again, and that is the youngest already.
    if (key === this.#lastKey && this.#lastValue !== undefined) return this.#lastValue;
    let value = this.#values.get(key);
    if (value === undefined) {
      value = this.#make(key);
      if (this.#values.size >= this.#limit) this.#values.delete(this.#values.keys().next().value!);
    } else {
      this.#values.delete(key);
    }
    this.#values.set(key, value);
    this.#lastKey = key;
    this.#lastValue = value;
    return value;
  }
}
