import { checkBudget, type RetryBudget } from '../budget/retry-budget.ts';
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
import type { OfResult } from '../policy.ts';

export interface RetryOptions {
  /** Names this policy in events, metrics and errors. @default 'retry' */
  readonly name?: string;

  /**
   * Retries after the first attempt; 0 turns the policy off.
   *
   * Retries multiply. Three of them at each of three layers is 64 attempts on
   * the dependency that is already failing, so retry at one layer only.
   *
   * @default 3 (0 … Infinity)
   */
  readonly maxRetries?: number;

  /**
   * How the delay grows: by `factor` each time, by `delayMs` each time, or not;
   * `decorrelated` draws it between `delayMs` and three times the one before (AWS
   * Architecture Blog, "Exponential Backoff And Jitter"). A function says it
   * itself, and may look at the failure. These two have their chance within them:
   * a `jitter` beside them is refused.
   *
   * @default 'exponential'
   */
  readonly backoff?: 'exponential' | 'linear' | 'constant' | 'decorrelated' | CustomBackoff;

  /** The delay before the first retry, before jitter. @default 200 ms (0 … 2^31 − 1) */
  readonly delayMs?: number;

  /** Growth of an exponential back-off. @default 2 (1 … 100) */
  readonly factor?: number;

  /** No delay grows beyond this, before jitter; hints are cut to it as well. @default 10_000 ms, or `delayMs` where that is longer (`delayMs` … 2^31 − 1) */
  readonly maxDelayMs?: number;

  /**
   * Spreads clients that failed together, so that they do not come back
   * together. `full` waits a random part of the delay, `equal` half of it and a
   * random part of the other half, `{ ratio }` the delay ± that part of it (0.5 is
   * Dapr's, and `delay × (0.5 + random)`), `{ addedMs }` the delay and a random part
   * of that on top, cut to `maxDelayMs` together (1,000 is `delay + random()` in
   * seconds). One or the other: both together are refused. `none` is for tests.
   *
   * @default 'full'
   */
  readonly jitter?:
    | 'full'
    | 'equal'
    | 'none'
    | { readonly ratio: number; readonly addedMs?: never }
    | { readonly addedMs: number; readonly ratio?: never };

  /** No retry begins later than this after the first attempt began. @default Infinity ms (0 … Infinity) */
  readonly maxElapsedMs?: number;

  /**
   * Whether an error deserves another attempt. Not asked about errors that none
   * would help: programming errors and refusals by a circuit.
   *
   * @default every error but an `AbortError`
   */
  readonly retryIf?: (error: unknown) => boolean;

  /** Whether a result deserves another attempt. @default none does */
  readonly retryIfResult?: OfResult<boolean>;

  /**
   * What the dependency says about when to come back (`Retry-After`), in
   * milliseconds; takes the place of the back-off and its jitter.
   *
   * @default no hint
   */
  readonly delayHint?: (outcome: { error?: unknown; value?: unknown }) => number | undefined;

  /**
   * Limits retries to a share of the calls. One budget may serve many pipelines
   * and hedges; without one, a dependency that is down gets every call
   * `maxRetries + 1` times.
   *
   * @default none
   */
  readonly budget?: RetryBudget | undefined;
}

/** What a back-off of one's own may go by: how the attempt ended, as `error` or `value`, and more. */
export interface BackoffContext {
  readonly error?: unknown;
  readonly value?: unknown;
  /** A chance in [0, 1), from the pipeline's `random`. */
  readonly drawn: number;
  /** The wait before the retry before, in milliseconds; 0 where there was none. */
  readonly previousMs: number;
}

/** The delay before retry number `retry` (from 0) in milliseconds, cut to 0 … `maxDelayMs`. */
export type CustomBackoff = (retry: number, context: BackoffContext) => number;

export type ResolvedRetryOptions = Required<RetryOptions>;

export const RETRY_DEFAULTS: ResolvedRetryOptions = {
  name: 'retry',
  maxRetries: 3,
  backoff: 'exponential',
  delayMs: 200,
  factor: 2,
  maxDelayMs: 10_000,
  jitter: 'full',
  maxElapsedMs: Infinity,
  retryIf: (error) => !(error instanceof Error && error.name === 'AbortError'),
  retryIfResult: () => false,
  delayHint: () => undefined,
  budget: undefined,
};

/** Fills in defaults and rejects nonsense now, while the stack still points at its author. */
export function resolveRetryOptions(given: RetryOptions): ResolvedRetryOptions {
  const options = checkOptions('retry', given, {
    ...RETRY_DEFAULTS,
    maxDelayMs: Math.max(Number(given?.delayMs ?? 0), RETRY_DEFAULTS.maxDelayMs),
  });
  const check = checker('retry', options);
  check(checkName, 'name');
  check(checkInteger, 'maxRetries', 0, Infinity);
  if (typeof options.backoff === 'function') check(checkSync, 'backoff');
  else check(checkOneOf, 'backoff', ['exponential', 'linear', 'constant', 'decorrelated']);
  check(checkNumber, 'delayMs', 0, LONGEST_TIMER_MS);
  check(checkNumber, 'factor', 1, 100);
  check(checkNumber, 'maxDelayMs', options.delayMs, LONGEST_TIMER_MS);
  if (typeof options.backoff === 'function' || options.backoff === 'decorrelated') {
    options.jitter = jitterBeside(options.backoff, given.jitter);
  }
  checkJitter(options.jitter);
  check(checkNumber, 'maxElapsedMs', 0, Infinity);
  check(checkSync, 'retryIf');
  check(checkSync, 'retryIfResult');
  check(checkSync, 'delayHint');
  checkBudget('retry.budget', options.budget);
  return options;
}

function jitterBeside(
  backoff: 'decorrelated' | CustomBackoff,
  given: RetryOptions['jitter'],
): 'none' {
  if (given === undefined || given === 'none') return 'none';
  const which = typeof backoff === 'function' ? 'a function' : backoff;
  throw new RangeError(
    `retry.jitter must not be given beside a backoff that is ${which}: its chance is its own.`,
  );
}

function checkJitter(jitter: ResolvedRetryOptions['jitter']): void {
  if (typeof jitter !== 'object' || jitter === null) {
    checkOneOf('retry.jitter', jitter, ['full', 'equal', 'none']);
    return;
  }
  const { ratio, addedMs } = checkOptions('retry.jitter', jitter as Spread, {
    ratio: undefined,
    addedMs: undefined,
  });
  if (addedMs === undefined) {
    checkNumber('retry.jitter.ratio', ratio, 0, 1);
    return;
  }
  checkNumber('retry.jitter.addedMs', addedMs, 0, LONGEST_TIMER_MS);
  if (ratio !== undefined) {
    throw new RangeError('retry.jitter must have ratio or addedMs, not both.');
  }
}

/** What JavaScript may hand over: both of them, or neither. */
interface Spread {
  readonly ratio?: number;
  readonly addedMs?: number;
}
