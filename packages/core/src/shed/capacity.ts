const SLICES = 10;
const SLICE_MS = 1_000;

/**
 * The most calls that ended in one second and the least time that one took,
 * over the last ten seconds: by Little's law their product is how many can be
 * inside without waiting for each other.
 */
export class Capacity {
  readonly #ended = new Float64Array(SLICES);
  readonly #leastMs = new Float64Array(SLICES).fill(Infinity);
  #slice = -1;

  ended(nowMs: number, tookMs: number): void {
    const at = this.#turn(nowMs);
    this.#ended[at]! += 1;
    this.#leastMs[at] = Math.min(this.#leastMs[at]!, tookMs);
  }

  /** Calls at a time; Infinity while nothing is known. */
  at(nowMs: number): number {
    const current = this.#turn(nowMs);
    let most = 0;
    let leastMs = Infinity;
    for (let i = 0; i < SLICES; i += 1) {
      // The second that is not over yet has had no time for its calls.
      if (i !== current) most = Math.max(most, this.#ended[i]!);
      leastMs = Math.min(leastMs, this.#leastMs[i]!);
    }
    return most === 0 ? Infinity : Math.max(1, (most * leastMs) / SLICE_MS);
  }

  #turn(nowMs: number): number {
    const slice = Math.floor(nowMs / SLICE_MS);
    const stale = Math.min(SLICES, slice - this.#slice);
    for (let i = 0; i < stale; i += 1) {
      this.#ended[(slice - i) % SLICES] = 0;
      this.#leastMs[(slice - i) % SLICES] = Infinity;
    }
    this.#slice = Math.max(this.#slice, slice);
    return this.#slice % SLICES;
  }
}
