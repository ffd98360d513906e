const BUCKETS = 10;

/**
 * Calls and failures of the last `windowMs`, in ten buckets of a typed array.
 * A bucket is emptied when its turn comes again, so nothing needs a timer.
 */
export class RatioWindow {
  readonly #bucketMs: number;
  /** Calls in the even places, failures in the odd ones. */
  readonly #counts = new Uint32Array(BUCKETS * 2);
  /** Number of the newest bucket, counted from time 0. */
  #newest = 0;

  constructor(windowMs: number) {
    this.#bucketMs = windowMs / BUCKETS;
  }

  record(failed: boolean, nowMs: number): void {
    this.#turn(nowMs);
    const place = (this.#newest % BUCKETS) * 2;
    this.#counts[place]! += 1;
    if (failed) this.#counts[place + 1]! += 1;
  }

  total(nowMs: number): { readonly calls: number; readonly failures: number } {
    this.#turn(nowMs);
    let calls = 0;
    let failures = 0;
    for (let i = 0; i < BUCKETS; i += 1) {
      calls += this.#counts[2 * i]!;
      failures += this.#counts[2 * i + 1]!;
    }
    return { calls, failures };
  }

  clear(): void {
    this.#counts.fill(0);
  }

  #turn(nowMs: number): void {
    const bucket = Math.floor(nowMs / this.#bucketMs);
    const from = Math.max(this.#newest, bucket - BUCKETS);
    for (let i = from + 1; i <= bucket; i += 1) {
      const place = (i % BUCKETS) * 2;
      this.#counts.fill(0, place, place + 2);
    }
    if (bucket > this.#newest) this.#newest = bucket;
  }
}
