/** Addresses of one app that are remembered. */
export const MOST_ADDRESSES = 100;

/** Addresses of one app that were heard, each good until its time is over; room is kept for those that are. */
export class HeardAddresses {
  readonly #untilMs = new Map<string, number>();

  /** Over the limit a new one is left out, unless the time of another is over. */
  hear(address: string, untilMs: number, nowMs: number): void {
    if (!this.#untilMs.has(address) && this.#untilMs.size >= MOST_ADDRESSES) {
      for (const [old, until] of this.#untilMs) if (until <= nowMs) this.#untilMs.delete(old);
      if (this.#untilMs.size >= MOST_ADDRESSES) return;
    }
    this.#untilMs.set(address, untilMs);
  }

  forget(address: string): void {
    this.#untilMs.delete(address);
  }

  fresh(nowMs: number): readonly string[] {
    const fresh: string[] = [];
    for (const [address, untilMs] of this.#untilMs) if (untilMs > nowMs) fresh.push(address);
    return fresh;
  }
}
