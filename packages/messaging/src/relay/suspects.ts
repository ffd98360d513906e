/**
 * Tells a poisonous message from a broken broker: only a message that fails alone, again and
 * again, while others go through in between, is to blame. During an outage nobody is struck twice.
 */
export class Suspects {
  readonly #limit: number;
  readonly #byId = new Map<string, { readonly strikes: number; readonly deliveredAt: number }>();

  /** At most this many are remembered, the latest ones. */
  constructor(limit = 1_000) {
    this.#limit = limit;
  }

  /** A message failed alone. `delivered`: how many have gone through so far. Returns its strikes. */
  strike(id: string, delivered: number): number {
    const before = this.#byId.get(id);
    const guilty = before === undefined || delivered > before.deliveredAt;
    const strikes = (before?.strikes ?? 0) + (guilty ? 1 : 0);
    this.#byId.delete(id);
    this.#byId.set(id, { strikes, deliveredAt: delivered });
    if (this.#byId.size > this.#limit) {
      const [oldest] = this.#byId.keys();
      if (oldest !== undefined) this.#byId.delete(oldest);
    }
    return strikes;
  }

  acquit(id: string): void {
    this.#byId.delete(id);
  }
}
