import type { RatioWindow, WindowTotal } from './ratio-window.ts';

const BUCKETS = 10;

/**
 * Calls and bad ones of the last `windowMs`, in ten buckets of a typed array.
 * A bucket is emptied when its turn comes again, so nothing needs a timer.
 */
export class TimeWindow implements RatioWindow {
  readonly #bucketMs: number;
  /** Calls in the even places, bad ones in the odd. */
  readonly #counts = new Uint32Array(BUCKETS * 2);
  /** Number of the newest bucket, counted from time 0. */
  #newest = 0;

  constructor(windowMs: number) {
    this.#bucketMs = windowMs / BUCKETS;
  }

  record(isBad: boolean, nowMs: number): void {
    this.#turn(nowMs);
    const place = (this.#newest % BUCKETS) * 2;
    this.#counts[place]! += 1;
    if (isBad) this.#counts[place + 1]! += 1;
  }

  total(nowMs: number): WindowTotal {
    this.#turn(nowMs);
    let calls = 0;
    let bad = 0;
    for (let i = 0; i < BUCKETS; i += 1) {
      calls += this.#counts[2 * i]!;
      bad += this.#counts[2 * i + 1]!;
    }
    return { calls, bad };
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
