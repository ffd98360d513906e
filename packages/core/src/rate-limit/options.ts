import {
  checker,
  checkInteger,
  checkMethods,
  checkName,
  checkNumber,
  checkOneOf,
  checkOptions,
  LONGEST_TIMER_MS,
  NO_DEFAULT,
} from '../check.ts';
import type { RateStore } from './rate-store.ts';

export interface RateLimitOptions {
  /** Names this policy in events, metrics and errors. @default 'rateLimit' */
  readonly name?: string;
  /** Calls in each `intervalMs`. (1 … 1_000_000; 1 … 10_000 for a sliding window) */
  readonly limit: number;
  /** What `limit` is for: a second, a minute. @default 1_000 ms (1 … 86_400_000) */
  readonly intervalMs?: number;
  /**
   * `token-bucket` spreads the calls evenly and lets `burst` of them through at
   * once after a pause. `sliding-window` lets no window of `intervalMs`, wherever
   * it begins, hold more than `limit`; it keeps a moment for each.
   *
   * @default 'token-bucket'
   */
  readonly algorithm?: 'token-bucket' | 'sliding-window';
  /** Calls that may come at once after a pause; token bucket only. @default `limit` (1 … 1_000_000) */
  readonly burst?: number;
  /**
   * After a pause the rate begins at a third and rises to the full within this
   * time: for a dependency whose caches and connections are cold. There is no
   * burst then. The algorithm is Guava's SmoothWarmingUp, as in Sentinel.
   *
   * @default 0 ms: no warm-up (0 … 3_600_000)
   */
  readonly warmUpMs?: number;
  /** Longest that a call waits for its turn; 0 refuses at once. @default 0 ms (0 … 2^31 − 1) */
  readonly maxWaitMs?: number;
  /** Keys (`execute`'s `key`) that have a rate of their own; of more, the least used begins anew. @default 10_000 (1 … 1_000_000) */
  readonly maxKeys?: number;
  /** Shares the rate with other processes; not with `warmUpMs`. @default this process alone */
  readonly store?: RateStore | undefined;
  /** A store that has not answered for so long is left out of this decision, which is then made alone. @default 50 ms (1 … 60_000) */
  readonly storeTimeoutMs?: number;
}

export type ResolvedRateLimitOptions = Required<RateLimitOptions>;

export const RATE_LIMIT_DEFAULTS = {
  name: 'rateLimit',
  intervalMs: 1_000,
  algorithm: 'token-bucket',
  warmUpMs: 0,
  maxWaitMs: 0,
  maxKeys: 10_000,
  store: undefined,
  storeTimeoutMs: 50,
} as const;

/** Moments are kept for a sliding window, one a call. */
const LARGEST_WINDOW = 10_000;

/** Fills in defaults and rejects nonsense now, while the stack still points at its author. */
export function resolveRateLimitOptions(given: RateLimitOptions): ResolvedRateLimitOptions {
  const options = checkOptions('rateLimit', given, {
    ...RATE_LIMIT_DEFAULTS,
    limit: NO_DEFAULT,
    burst: given?.limit,
  });
  const check = checker('rateLimit', options);
  check(checkName, 'name');
  check(checkOneOf, 'algorithm', ['token-bucket', 'sliding-window']);
  const sliding = options.algorithm === 'sliding-window';
  check(checkInteger, 'limit', 1, sliding ? LARGEST_WINDOW : 1_000_000);
  check(checkNumber, 'intervalMs', 1, 86_400_000);
  check(checkInteger, 'burst', 1, 1_000_000);
  check(checkNumber, 'warmUpMs', 0, 3_600_000);
  check(checkNumber, 'maxWaitMs', 0, LONGEST_TIMER_MS);
  check(checkInteger, 'maxKeys', 1, 1_000_000);
  check(checkNumber, 'storeTimeoutMs', 1, 60_000);
  if (options.warmUpMs > 0 && sliding) {
    throw new RangeError(
      'rateLimit.warmUpMs must be 0 for a sliding-window: it has no rate to raise.',
    );
  }
  if (options.warmUpMs > 0 && options.store !== undefined) {
    throw new RangeError(
      'rateLimit.warmUpMs must be 0 beside a store: each process warms up alone.',
    );
  }
  check(checkMethods, 'store', 'take');
  return options;
}
