/** The window is cut into so many parts, and forgotten part by part. */
const PARTS = 30;

/**
 * How busy a number of hands was over the last `windowMs`, 0 (idle) … 1: the time that handlers were
 * at work, of the time they could have been. Told the time by its caller.
 */
export class Utilisation {
  readonly #hands: number;
  readonly #partMs: number;
  /** Busy milliseconds by part; part n lies at n modulo `PARTS`. */
  readonly #busyMs = new Float64Array(PARTS);
  readonly #startedMs: number;
  #atWork = 0;
  #nowMs: number;

  constructor(hands: number, windowMs: number, nowMs: number) {
    this.#hands = hands;
    this.#partMs = windowMs / PARTS;
    this.#startedMs = nowMs;
    this.#nowMs = nowMs;
  }

  /** From now on so many are at work. */
  change(atWork: number, nowMs: number): void {
    this.#pass(nowMs);
    this.#atWork = atWork;
  }

  ratio(nowMs: number): number {
    this.#pass(nowMs);
    const intoPartMs = nowMs % this.#partMs;
    const seenMs = Math.min((PARTS - 1) * this.#partMs + intoPartMs, nowMs - this.#startedMs);
    if (seenMs <= 0) return this.#atWork / this.#hands;
    const busyMs = this.#busyMs.reduce((sum, each) => sum + each, 0);
    return Math.min(1, busyMs / (seenMs * this.#hands));
  }

  /** Books the time since the last look; a part that begins forgets what it held a window ago. */
  #pass(nowMs: number): void {
    const first = Math.floor(this.#nowMs / this.#partMs);
    const last = Math.floor(nowMs / this.#partMs);
    // Of a longer pause only the last window counts.
    for (let part = Math.max(first, last - PARTS); part <= last; part += 1) {
      if (part > first) this.#busyMs[part % PARTS] = 0;
      const fromMs = Math.max(this.#nowMs, part * this.#partMs);
      const toMs = Math.min(nowMs, (part + 1) * this.#partMs);
      this.#busyMs[part % PARTS]! += Math.max(0, toMs - fromMs) * this.#atWork;
    }
    this.#nowMs = nowMs;
  }
}
