const SLICES = 40;

/** Calls and those of them that were accepted, over a window that slides in slices. */
export class Acceptance {
  readonly sliceMs: number;
  readonly #calls = new Float64Array(SLICES);
  readonly #accepts = new Float64Array(SLICES);
  #slice = -1;
  calls = 0;
  accepts = 0;
  /** When the last call was sent. */
  sentMs = 0;
  /** Since when whatever came back was accepted; `Infinity` where the last was not. */
  #wellSinceMs = Infinity;

  constructor(windowMs: number) {
    this.sliceMs = windowMs / SLICES;
  }

  /** What was sent has come back. */
  answered(accepted: boolean, nowMs: number): void {
    if (accepted) this.accept(nowMs);
    this.#wellSinceMs = accepted ? Math.min(this.#wellSinceMs, nowMs) : Infinity;
  }

  /**
   * The part of the formula's probability that holds, 0 … 1: less and less while all that comes back is
   * accepted. By the formula alone, for which its own refusals count against the dependency, all is sent again
   * three windows after an outage where there are 1,000 calls in one, and six where 100,000 (go-zero, issue 4101).
   */
  partLeft(nowMs: number): number {
    const slices = Math.max(0, nowMs - this.#wellSinceMs) / this.sliceMs;
    return Math.max(0, 1 - slices / SLICES);
  }

  /** Forgets what is older than the window; answers with the place of the newest slice. */
  turn(nowMs: number): number {
    const slice = Math.floor(nowMs / this.sliceMs);
    const stale = Math.min(SLICES, slice - this.#slice);
    for (let i = 0; i < stale; i += 1) {
      const at = (slice - i) % SLICES;
      this.calls -= this.#calls[at]!;
      this.accepts -= this.#accepts[at]!;
      this.#calls[at] = 0;
      this.#accepts[at] = 0;
    }
    this.#slice = Math.max(this.#slice, slice);
    return this.#slice % SLICES;
  }

  call(nowMs: number): void {
    const at = this.turn(nowMs);
    this.#calls[at]! += 1;
    this.calls += 1;
  }

  accept(nowMs: number): void {
    const at = this.turn(nowMs);
    this.#accepts[at]! += 1;
    this.accepts += 1;
  }
}

/**
 * With what probability a call is not sent, 0 … 1: max(0, (requests − K ×
 * accepts) / (requests + 1)), "Site Reliability Engineering", equation 21-1.
 */
export function rejectProbability(calls: number, accepts: number, k: number): number {
  return Math.max(0, (calls - k * accepts) / (calls + 1));
}
