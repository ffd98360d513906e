/**
 * Upper bounds of Dapr's latency histograms, in milliseconds. Ours are the same
 * numbers, so that one dashboard reads both.
 */
export const DAPR_LATENCY_BUCKETS_MS: readonly number[] = [
  1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30, 40, 50, 65, 80, 100, 130, 160, 200, 250, 300, 400,
  500, 650, 800, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000,
];

const KIBIBYTE = 1_024;

/** Upper bounds of Dapr's size histograms, in bytes: 1 KiB to 4 GiB. */
export const DAPR_SIZE_BUCKETS_BYTES: readonly number[] = [
  1, 2, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304,
].map((kibibytes) => kibibytes * KIBIBYTE);

/** Prometheus' usual bounds in seconds, from half a millisecond to a minute. */
export const SECONDS_BUCKETS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

/** Values above this are found by bisection: a table for them would outgrow the cache. */
const TABLE_END = 1_024;

/**
 * The bounds of a family, ready to find the bucket of a value: the index of the
 * first bound that is not below it, or `upper.length` for +Inf.
 *
 * Where all bounds up to 1,024 are whole numbers, `ceil(value)` has the same
 * bucket as `value`, and one table look-up answers; it costs 1 KiB per family.
 */
export class Buckets {
  readonly upper: Float64Array;
  readonly #table: Uint8Array;
  /** The largest value that the table answers; 0 where there is none. */
  readonly #tabled: number;

  constructor(bounds: readonly number[]) {
    this.upper = Float64Array.from(bounds);
    const whole = bounds.every((bound) => bound > TABLE_END || Number.isInteger(bound));
    this.#tabled = whole && bounds.length < 256 ? TABLE_END : 0;
    this.#table = Uint8Array.from({ length: this.#tabled + 1 }, (_, value) => this.#bisect(value));
  }

  find(value: number): number {
    if (value > 0 && value <= this.#tabled) return this.#table[Math.ceil(value)]!;
    return this.#bisect(value);
  }

  #bisect(value: number): number {
    let low = 0;
    let high = this.upper.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.upper[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Throws a `RangeError` unless the bounds rise strictly and are finite. */
export function checkBuckets(metric: string, bounds: readonly number[]): void {
  const rising = bounds.every(
    (bound, i) => Number.isFinite(bound) && (i === 0 || bound > bounds[i - 1]!),
  );
  if (rising && bounds.length > 0) return;
  throw new RangeError(
    `The buckets of ${metric} must be finite numbers that rise, at least one, not [${bounds}]. +Inf is added by itself.`,
  );
}
