import {
  checker,
  checkFunction,
  checkInteger,
  checkName,
  checkNumber,
  checkOneOf,
  LONGEST_TIMER_MS,
} from '../check.ts';

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

  /** How the delay grows: by `factor` each time, by `delayMs` each time, or not. @default 'exponential' */
  readonly backoff?: 'exponential' | 'linear' | 'constant';

  /** The delay before the first retry, before jitter. @default 200 ms (0 … 2^31 − 1) */
  readonly delayMs?: number;

  /** Growth of an exponential back-off. @default 2 (1 … 100) */
  readonly factor?: number;

  /** No delay grows beyond this, before jitter; hints are cut to it as well. @default 10_000 ms (`delayMs` … 2^31 − 1) */
  readonly maxDelayMs?: number;

  /**
   * Spreads clients that failed together, so that they do not come back
   * together. `full` waits a random part of the delay, `equal` half of it and a
   * random part of the other half, `{ ratio }` the delay ± that part of it.
   * `none` is for tests.
   *
   * @default 'full'
   */
  readonly jitter?: 'full' | 'equal' | 'none' | { readonly ratio: number };

  /** No retry begins later than this after the first attempt began. @default Infinity ms */
  readonly maxElapsedMs?: number;

  /**
   * Whether an error deserves another attempt. Not asked about errors that none
   * would help: programming errors and refusals by a circuit.
   *
   * @default every error but an `AbortError`
   */
  readonly retryIf?: (error: unknown) => boolean;

  /** Whether a result deserves another attempt. @default none does */
  readonly retryIfResult?: (value: unknown) => boolean;

  /**
   * What the dependency says about when to come back (`Retry-After`), in
   * milliseconds; takes the place of the back-off and its jitter.
   *
   * @default no hint
   */
  readonly delayHint?: (outcome: { error?: unknown; value?: unknown }) => number | undefined;
}

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
};

/** Fills in defaults and rejects nonsense now, while the stack still points at its author. */
export function resolveRetryOptions(given: RetryOptions): ResolvedRetryOptions {
  const options = { ...RETRY_DEFAULTS, ...given };
  const check = checker('retry', options);
  check(checkName, 'name');
  check(checkInteger, 'maxRetries', 0, Infinity);
  check(checkOneOf, 'backoff', ['exponential', 'linear', 'constant']);
  check(checkNumber, 'delayMs', 0, LONGEST_TIMER_MS);
  check(checkNumber, 'factor', 1, 100);
  check(checkNumber, 'maxDelayMs', options.delayMs, LONGEST_TIMER_MS);
  if (typeof options.jitter === 'object' && options.jitter !== null) {
    checkNumber('retry.jitter.ratio', options.jitter.ratio, 0, 1);
  } else {
    check(checkOneOf, 'jitter', ['full', 'equal', 'none']);
  }
  check(checkNumber, 'maxElapsedMs', 0, Infinity);
  check(checkFunction, 'retryIf');
  check(checkFunction, 'retryIfResult');
  check(checkFunction, 'delayHint');
  return options;
}
