import { circuitBreaker } from '../breaker/breaker.ts';
import type { CircuitBreakerOptions } from '../breaker/options.ts';
import { type RetryBudgetOptions, retryBudget } from '../budget/retry-budget.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import type { BulkheadOptions } from '../bulkhead/options.ts';
import { checkNumber, checkObject, checkOptions, LONGEST_TIMER_MS } from '../check.ts';
import { fallback } from '../fallback/fallback.ts';
import type { FallbackOptions } from '../fallback/options.ts';
import type { Policy } from '../policy.ts';
import type { RateLimitOptions } from '../rate-limit/options.ts';
import { rateLimit } from '../rate-limit/rate-limit.ts';
import type { RetryOptions } from '../retry/options.ts';
import { retry } from '../retry/retry.ts';
import type { ShedOptions } from '../shed/options.ts';
import { shed } from '../shed/shed.ts';
import { deadline } from '../timeout/deadline.ts';
import { timeout } from '../timeout/timeout.ts';
import { checkNumbersTogether } from './numbers-together.ts';

/** Each part may be `false`: then it is left out. */
export interface StandardOptions {
  /** Answers in place of a call that failed; outermost. @default none */
  readonly fallback?: FallbackOptions | false;
  /** Refuses calls while this process is overloaded, those that matter least first. For the side that serves. @default none */
  readonly shed?: ShedOptions | false;
  /** Of the whole call, retries and waits included. @default 30_000 ms, Microsoft's standard handler's (1 … 2^31 − 1) */
  readonly totalMs?: number;
  /** Calls, not attempts. @default none */
  readonly rateLimit?: RateLimitOptions | false;
  /** @default `retry`'s */
  readonly retry?: RetryOptions | false;
  /** Share of calls that may be retries. @default `retryBudget`'s */
  readonly budget?: RetryBudgetOptions | false;
  /** @default five failures in a row, or half of at least 20 calls in 30 s */
  readonly circuitBreaker?: CircuitBreakerOptions | false;
  /** @default 1_000 attempts at a time, none waits */
  readonly bulkhead?: BulkheadOptions | false;
  /** Of one attempt. @default 10_000 ms, Microsoft's standard handler's, or `totalMs` (1 … `totalMs`) */
  readonly attemptMs?: number;
}

export const STANDARD_DEFAULTS = {
  totalMs: 30_000,
  attemptMs: 10_000,
  circuitBreaker: {
    consecutiveFailures: 5,
    failureRatio: { ratio: 0.5, minimumCalls: 20, windowMs: 30_000 },
  },
  bulkhead: { limit: 1_000 },
} as const;

/**
 * The recommended order, with numbers that go together:
 *
 *     fallback ▸ shed ▸ deadline ▸ rate limit ▸ retry (budget) ▸ circuit ▸ bulkhead ▸ timeout
 *
 * A retry is outside the circuit, so that each attempt counts, and outside the
 * bulkhead, so that no place is held while it waits. Throws a `RangeError` that
 * names both options where two contradict each other.
 */
export function standard(options: StandardOptions = {}): readonly Policy[] {
  checkParts(options);
  const { totalMs = STANDARD_DEFAULTS.totalMs } = options;
  const { attemptMs = Math.min(STANDARD_DEFAULTS.attemptMs, totalMs) } = options;
  checkNumber('standard.totalMs', totalMs, 1, LONGEST_TIMER_MS);
  checkNumber('standard.attemptMs', attemptMs, 1, LONGEST_TIMER_MS);
  const breaker = options.circuitBreaker ?? STANDARD_DEFAULTS.circuitBreaker;
  const gate = options.bulkhead ?? STANDARD_DEFAULTS.bulkhead;
  const again = options.retry ?? {};
  const rate = options.rateLimit ?? false;

  const budget = options.budget === false ? undefined : retryBudget(options.budget ?? {});
  // Made first: what is wrong with one option alone is said by its own policy.
  const policies = [
    ...(options.fallback ? [fallback(options.fallback)] : []),
    ...(options.shed ? [shed(options.shed)] : []),
    deadline({ limitMs: totalMs }),
    ...(rate === false ? [] : [rateLimit(rate)]),
    ...(again === false ? [] : [retry({ ...again, budget: again.budget ?? budget })]),
    ...(breaker === false ? [] : [circuitBreaker(breaker)]),
    ...(gate === false ? [] : [bulkhead(gate)]),
    timeout({ limitMs: attemptMs }),
  ];
  checkNumbersTogether({
    totalMs,
    attemptMs,
    again,
    breaker: breaker || {},
    gate: gate || {},
    rate: rate || {},
  });
  return policies;
}

/** Parts that are an object of options, or `false`. */
const PARTS = [
  'fallback',
  'shed',
  'rateLimit',
  'retry',
  'budget',
  'circuitBreaker',
  'bulkhead',
] as const;

/** From JavaScript anything may come: `retry: 5` would otherwise mean the defaults, without a word. */
function checkParts(options: StandardOptions): void {
  checkOptions('standard', options, {
    ...STANDARD_DEFAULTS,
    ...{ fallback: 0, shed: 0, rateLimit: 0, retry: 0, budget: 0 },
  });
  for (const part of PARTS) {
    const given = options[part];
    if (given !== undefined && given !== false) {
      checkObject(`standard.${part}`, given, 'an object of options, or false');
    }
  }
}
