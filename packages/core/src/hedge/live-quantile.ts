/** Bounds grow by a tenth from here: what it says is at most 10 % too long. */
const FIRST_BOUND_MS = 0.1;
const GROWTH = 1.1;
/** Up to 0.1 × 1.1^160 ms, seven minutes; longer counts as that. */
const BUCKETS = 160;
/** The quantile is looked up anew after so many durations: a walk over all buckets costs as much as a call. */
const REFRESH = 16;
/** Of so few durations each one matters. */
const FEW = 256;

const LOG_GROWTH = /* @__PURE__ */ Math.log(GROWTH);

/**
 * How long calls took of late, as counts in two histograms that take turns:
 * each holds half the window, the older one is emptied when its time is over
 * (the rotating histogram of tower's hedge).
 */
export class LiveQuantile {
  readonly #quantile: number;
  readonly #halfMs: number;
  #young = new Uint32Array(BUCKETS);
  #old = new Uint32Array(BUCKETS);
  #youngCount = 0;
  #oldCount = 0;
  #turnAtMs: number;
  #known: number | undefined;
  #sinceKnown = 0;

  constructor(quantile: number, windowMs: number, nowMs: number) {
    this.#quantile = quantile;
    this.#halfMs = windowMs / 2;
    this.#turnAtMs = nowMs + this.#halfMs;
  }

  /** Durations it looks at. */
  get count(): number {
    return this.#youngCount + this.#oldCount;
  }

  add(durationMs: number, nowMs: number): void {
    this.#turn(nowMs);
    this.#young[bucketOf(durationMs)]! += 1;
    this.#youngCount += 1;
    this.#sinceKnown += 1;
    if (this.#sinceKnown >= REFRESH || this.count <= FEW) this.#known = undefined;
  }

  /** So many milliseconds are enough for the quantile's part of the calls; 0 where none is known. */
  valueMs(nowMs: number): number {
    this.#turn(nowMs);
    if (this.#known === undefined) {
      this.#known = this.#walk();
      this.#sinceKnown = 0;
    }
    return this.#known;
  }

  #walk(): number {
    const wanted = this.count * this.#quantile;
    let seen = 0;
    for (let at = 0; at < BUCKETS; at += 1) {
      seen += this.#young[at]! + this.#old[at]!;
      if (seen >= wanted && seen > 0) return FIRST_BOUND_MS * GROWTH ** at;
    }
    return 0;
  }

  #turn(nowMs: number): void {
    // Twice: after a pause longer than the window both are old.
    for (let turns = 0; turns < 2 && nowMs >= this.#turnAtMs; turns += 1) {
      [this.#young, this.#old] = [this.#old, this.#young];
      this.#young.fill(0);
      this.#oldCount = this.#youngCount;
      this.#youngCount = 0;
      this.#turnAtMs += this.#halfMs;
      this.#known = undefined;
    }
    if (nowMs >= this.#turnAtMs) this.#turnAtMs = nowMs + this.#halfMs;
  }
}

function bucketOf(durationMs: number): number {
  if (durationMs <= FIRST_BOUND_MS) return 0;
  const at = Math.ceil(Math.log(durationMs / FIRST_BOUND_MS) / LOG_GROWTH);
  return at < BUCKETS ? at : BUCKETS - 1;
}
