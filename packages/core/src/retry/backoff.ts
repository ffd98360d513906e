import type { BackoffContext, ResolvedRetryOptions } from './options.ts';

/** What a back-off goes by: the options of a `retry` have it. */
export type BackoffRules = Pick<
  ResolvedRetryOptions,
  'backoff' | 'delayMs' | 'factor' | 'maxDelayMs' | 'jitter'
>;

/** Growth of a decorrelated delay, as in AWS's article. */
const DECORRELATED_FACTOR = 3;

/** The wait before retry number `retry` (from 0). */
export function delayBefore(retry: number, context: BackoffContext, rules: BackoffRules): number {
  const { backoff, delayMs, maxDelayMs } = rules;
  const { drawn, previousMs } = context;
  if (typeof backoff === 'function') return custom(backoff(retry, context), maxDelayMs);
  if (backoff === 'decorrelated') {
    // A hint may have made the wait before shorter than any of its own.
    const beforeMs = Math.max(delayMs, previousMs);
    return Math.min(maxDelayMs, delayMs + drawn * (beforeMs * DECORRELATED_FACTOR - delayMs));
  }
  return spread(grownDelay(retry, rules), drawn, rules);
}

/** The longest that `delayBefore` can say, whatever is drawn. */
export function longestDelayBefore(retry: number, rules: BackoffRules): number {
  const { backoff, jitter, maxDelayMs } = rules;
  if (typeof backoff === 'function' || backoff === 'decorrelated') return maxDelayMs;
  const grownMs = grownDelay(retry, rules);
  if (typeof jitter !== 'object') return grownMs;
  return jitter.addedMs === undefined
    ? grownMs * (1 + jitter.ratio)
    : Math.min(maxDelayMs, grownMs + jitter.addedMs);
}

/** The least that `delayBefore` can say, whatever is drawn. */
export function leastDelayBefore(retry: number, rules: BackoffRules): number {
  const { backoff, delayMs } = rules;
  if (typeof backoff === 'function') return 0;
  return backoff === 'decorrelated' ? delayMs : spread(grownDelay(retry, rules), 0, rules);
}

function spread(delayMs: number, drawn: number, { jitter, maxDelayMs }: BackoffRules): number {
  switch (jitter) {
    case 'full':
      return delayMs * drawn;
    case 'equal':
      return (delayMs / 2) * (1 + drawn);
    case 'none':
      return delayMs;
    default:
      return jitter.addedMs === undefined
        ? delayMs * (1 - jitter.ratio + 2 * jitter.ratio * drawn)
        : Math.min(maxDelayMs, delayMs + jitter.addedMs * drawn);
  }
}

function custom(saidMs: number, maxDelayMs: number): number {
  // Not a number would be a wait that never ends or never begins; better the caller sees it.
  if (typeof saidMs !== 'number' || Number.isNaN(saidMs)) {
    throw new RangeError(`retry.backoff must return a number of milliseconds, not ${saidMs}.`);
  }
  return Math.min(maxDelayMs, Math.max(0, saidMs));
}

function grownDelay(retry: number, rules: BackoffRules): number {
  const { delayMs, factor, maxDelayMs } = rules;
  // Asked first: after a thousand retries the power is Infinity, and 0 × Infinity is not a number.
  if (delayMs === 0) return 0;
  switch (rules.backoff) {
    case 'exponential':
      return Math.min(maxDelayMs, delayMs * factor ** retry);
    case 'linear':
      return Math.min(maxDelayMs, delayMs * (retry + 1));
    default:
      return delayMs;
  }
}
