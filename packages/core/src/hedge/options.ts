import { checkBudget, type RetryBudget } from '../budget/retry-budget.ts';
import {
  checkBoolean,
  checker,
  checkInteger,
  checkName,
  checkNumber,
  checkOptions,
  checkSync,
  LONGEST_TIMER_MS,
} from '../check.ts';
import type { OfResult } from '../policy.ts';

export interface HedgeOptions {
  /** Names this policy in events and metrics. @default 'hedge' */
  readonly name?: string;

  /**
   * Sends another attempt when the first has not answered for so long. Choose
   * what 95 of 100 calls take: then one call in twenty is made twice.
   *
   * @default none: `quantile` says it (0 … 2^31 − 1)
   */
  readonly delayMs?: number | undefined;

  /** Takes the delay from how long calls took of late. @default 0.95 of the last 30 s, unless `delayMs` is given */
  readonly quantile?: HedgeQuantile | undefined;

  /** Attempts beside the first; each waits the delay after the one before. @default 1 (1 … 10) */
  readonly maxHedges?: number;

  /** Limits hedges to a share of the calls, together with the retries of the same budget. @default none */
  readonly budget?: RetryBudget | undefined;

  /**
   * Whether a result is no answer to be content with (a 503): then it does not
   * win while another attempt is under way.
   *
   * @default every result wins
   */
  readonly failureIfResult?: OfResult<boolean>;

  /**
   * Whether the first attempt to end decides, failed or not. Then a failure is
   * known as soon as it can be, and a hedge saves no call whose first attempt fails.
   *
   * @default false: a failure does not win while another attempt is under way
   */
  readonly failureWins?: boolean;
}

export interface HedgeQuantile {
  /** Part of the calls that answer sooner. (0.5 … 0.999) */
  readonly quantile: number;
  /** Before so many calls are known none is hedged. @default 20 (1 … 1_000_000) */
  readonly minimumCalls?: number;
  /** How far it looks back. @default 30_000 ms (100 … 3_600_000) */
  readonly windowMs?: number;
  /** No delay is shorter. @default 1 ms (0 … 2^31 − 1) */
  readonly minDelayMs?: number;
  /** No delay is longer. @default 10_000 ms (`minDelayMs` … 2^31 − 1) */
  readonly maxDelayMs?: number;
}

export interface ResolvedHedgeOptions extends Required<Omit<HedgeOptions, 'quantile'>> {
  /** Undefined beside `delayMs`. */
  readonly quantile: Required<HedgeQuantile> | undefined;
}

export const HEDGE_DEFAULTS = {
  name: 'hedge',
  delayMs: undefined,
  quantile: undefined,
  maxHedges: 1,
  budget: undefined,
  failureIfResult: (_value: unknown): boolean => false,
  failureWins: false as boolean,
} as const;

export const HEDGE_QUANTILE_DEFAULTS: Required<HedgeQuantile> = {
  quantile: 0.95,
  minimumCalls: 20,
  windowMs: 30_000,
  minDelayMs: 1,
  maxDelayMs: 10_000,
};

/** Fills in defaults and rejects nonsense now, while the stack still points at its author. */
export function resolveHedgeOptions(given: HedgeOptions): ResolvedHedgeOptions {
  const options = checkOptions('hedge', given, HEDGE_DEFAULTS);
  const check = checker('hedge', options);
  check(checkName, 'name');
  check(checkInteger, 'maxHedges', 1, 10);
  check(checkSync, 'failureIfResult');
  check(checkBoolean, 'failureWins');
  checkBudget('hedge.budget', options.budget);
  if (options.delayMs === undefined) {
    return { ...options, delayMs: undefined, quantile: resolveQuantile(options.quantile) };
  }
  check(checkNumber, 'delayMs', 0, LONGEST_TIMER_MS);
  if (options.quantile !== undefined) {
    throw new RangeError(
      'hedge.delayMs must not be given beside hedge.quantile: one says the delay.',
    );
  }
  return { ...options, quantile: undefined };
}

function resolveQuantile(given: Partial<HedgeQuantile> = {}): Required<HedgeQuantile> {
  const options = checkOptions('hedge.quantile', given, HEDGE_QUANTILE_DEFAULTS);
  const check = checker('hedge.quantile', options);
  check(checkNumber, 'quantile', 0.5, 0.999);
  check(checkInteger, 'minimumCalls', 1, 1_000_000);
  check(checkNumber, 'windowMs', 100, 3_600_000);
  check(checkNumber, 'minDelayMs', 0, LONGEST_TIMER_MS);
  check(checkNumber, 'maxDelayMs', options.minDelayMs, LONGEST_TIMER_MS);
  return options;
}
