/** A rate, as a store has to keep it. */
export interface RateRule {
  readonly algorithm: 'token-bucket' | 'sliding-window';
  readonly limit: number;
  readonly intervalMs: number;
  /** Token bucket only. */
  readonly burst: number;
  /** A turn later than this is not taken. */
  readonly maxWaitMs: number;
}

/** `waitMs` until the turn that was taken, or, where none was, until there might be one. */
export interface RateAnswer {
  readonly taken: boolean;
  readonly waitMs: number;
}

/**
 * Where processes share a rate. It speaks in durations and measures with its
 * own clock, so that the clocks of the processes do not count.
 *
 * 1. Over all processes, no more turns are taken than the rule allows.
 * 2. What is answered is kept: a turn that was taken is nobody else's.
 * 3. A store that cannot keep this rejects; who asked then decides alone.
 */
export interface RateStore {
  /** Takes a turn of `key`'s rate. */
  take(key: string, rule: RateRule): Promise<RateAnswer>;
}
