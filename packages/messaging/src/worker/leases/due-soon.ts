/** As many are remembered; the rest is found by polling. */
const MOST = 1_000;

/** A store's clock may be a little behind ours. */
const MARGIN_MS = 5;

/** When jobs that this worker gave back are due again: it need not wait for its next poll. */
export class DueSoon {
  #momentsMs: number[] = [];

  add(delayMs: number, nowMs: number): void {
    if (this.#momentsMs.length < MOST) this.#momentsMs.push(nowMs + delayMs + MARGIN_MS);
  }

  /** Until the first of them that is still to come. */
  nextInMs(nowMs: number): number {
    this.#momentsMs = this.#momentsMs.filter((momentMs) => momentMs > nowMs);
    return this.#momentsMs.reduce((least, each) => Math.min(least, each - nowMs), Infinity);
  }
}
