import { QUEUE_ORDERS, type QueueOrder } from '../bulkhead/gate.ts';
import {
  checker,
  checkInteger,
  checkName,
  checkNumber,
  checkOneOf,
  checkOptions,
  checkSync,
  LONGEST_TIMER_MS,
} from '../check.ts';
import { CRITICALITIES, type Criticality, type OfResult } from '../policy.ts';

export interface AdaptiveLimitOptions {
  /** Names this policy in events, metrics and errors. @default 'adaptiveLimit' */
  readonly name?: string;
  /**
   * How the limit follows what is measured; all as in Netflix's
   * concurrency-limits. `gradient2` compares the latency of late with that of
   * long; `vegas` estimates the queue at the dependency from the best latency
   * seen; `aimd` grows by one and shrinks by a tenth when calls are dropped.
   *
   * @default 'gradient2'
   */
  readonly algorithm?: 'gradient2' | 'vegas' | 'aimd';
  /** Calls that may run at a time before anything is known. @default 20 (`minLimit` … `maxLimit`) */
  readonly initialLimit?: number;
  /** The limit never falls below this. @default 20; 1 for vegas (1 … 100_000) */
  readonly minLimit?: number;
  /** The limit never rises above this. @default 200; 1_000 for vegas (`minLimit` … 100_000) */
  readonly maxLimit?: number;
  /** A slower call counts as dropped; aimd only. @default 5_000 ms (1 … 2^31 − 1) */
  readonly timeoutMs?: number;
  /** Latency may be so many times the long one before the limit shrinks; gradient2 only. @default 1.5 (1 … 10) */
  readonly tolerance?: number;
  /**
   * Windows from one probe to the next, at most, and half as many at least; gradient2
   * and vegas only. A probe takes 30 % off the limit for a window or two and sees
   * whether calls become quicker: if so, they were in a queue, and it stays. It costs
   * refusals for a moment where the limit is all used; without probes, a queue that
   * was there from the beginning passes for normal. `Infinity`: none. With `windowMs: 0`
   * a window is as many calls as the limit.
   *
   * @default 60 (10 … Infinity)
   */
  readonly probeEvery?: number;
  /** Calls that may wait for a place. @default 0 (0 … 1_000_000) */
  readonly queueLimit?: number;
  /** Who is let in next. @default 'criticality' */
  readonly order?: QueueOrder;
  /** Longest that a call waits for a place. @default 5_000 ms (1 … 2^31 − 1) */
  readonly queueTimeoutMs?: number;
  /**
   * Shares of the limit that calls of a criticality have for themselves: they are
   * let in as long as their share has room, however many others are inside.
   *
   * @default none (0 … 1 each, 1 in all)
   */
  readonly shares?: Readonly<Partial<Record<Criticality, number>>>;
  /** Samples are gathered for so long before the limit moves; 0: it moves with each. @default 1_000 ms; 0 for aimd (0 … 3_600_000) */
  readonly windowMs?: number;
  /** A window of fewer samples goes on. @default 10 (1 … 1_000_000) */
  readonly minSamples?: number;
  /** Whether an error shows that the dependency has too much to do. Time-outs and refusals of policies inside always do. @default no other does */
  readonly dropIf?: (error: unknown) => boolean;
  /** Whether a result shows that: a 429, a 503. @default none does */
  readonly dropIfResult?: OfResult<boolean>;
}

export type ResolvedAdaptiveLimitOptions = Required<AdaptiveLimitOptions>;

export const ADAPTIVE_LIMIT_DEFAULTS = {
  name: 'adaptiveLimit',
  algorithm: 'gradient2',
  initialLimit: 20,
  minLimit: 20,
  maxLimit: 200,
  timeoutMs: 5_000,
  tolerance: 1.5,
  probeEvery: 60,
  queueLimit: 0,
  order: 'criticality',
  queueTimeoutMs: 5_000,
  shares: {},
  windowMs: 1_000,
  minSamples: 10,
  dropIf: (_error: unknown): boolean => false,
  dropIfResult: (_value: unknown): boolean => false,
} as const;

const OF_ALGORITHM = {
  gradient2: {},
  vegas: { minLimit: 1, maxLimit: 1_000 },
  aimd: { windowMs: 0 },
} as const;

/** Fills in defaults and rejects nonsense now, while the stack still points at its author. */
export function resolveAdaptiveLimitOptions(
  given: AdaptiveLimitOptions,
): ResolvedAdaptiveLimitOptions {
  const options: ResolvedAdaptiveLimitOptions = checkOptions('adaptiveLimit', given, {
    ...ADAPTIVE_LIMIT_DEFAULTS,
    ...OF_ALGORITHM[given?.algorithm ?? 'gradient2'],
  });
  const check = checker('adaptiveLimit', options);
  check(checkOneOf, 'algorithm', ['gradient2', 'vegas', 'aimd']);
  check(checkName, 'name');
  check(checkInteger, 'minLimit', 1, 100_000);
  check(checkInteger, 'maxLimit', options.minLimit, 100_000);
  check(checkInteger, 'initialLimit', options.minLimit, options.maxLimit);
  check(checkNumber, 'timeoutMs', 1, LONGEST_TIMER_MS);
  check(checkNumber, 'tolerance', 1, 10);
  check(checkInteger, 'probeEvery', 10, Infinity);
  check(checkInteger, 'queueLimit', 0, 1_000_000);
  check(checkOneOf, 'order', QUEUE_ORDERS);
  check(checkNumber, 'queueTimeoutMs', 1, LONGEST_TIMER_MS);
  check(checkNumber, 'windowMs', 0, 3_600_000);
  check(checkInteger, 'minSamples', 1, 1_000_000);
  check(checkSync, 'dropIf');
  check(checkSync, 'dropIfResult');
  checkShares(options.shares);
  return options;
}

const NO_SHARES: Readonly<Record<Criticality, number>> = {
  'critical-plus': 0,
  critical: 0,
  'sheddable-plus': 0,
  sheddable: 0,
};

function checkShares(shares: ResolvedAdaptiveLimitOptions['shares']): void {
  checkOptions('adaptiveLimit.shares', shares, NO_SHARES);
  let sum = 0;
  for (const each of CRITICALITIES) {
    const { [each]: share = 0 } = shares;
    checkNumber(`adaptiveLimit.shares.${each}`, share, 0, 1);
    sum += share;
  }
  if (sum > 1) {
    throw new RangeError(`adaptiveLimit.shares must be at most 1 in all, not ${sum}.`);
  }
}
