import type { ResolvedRetryOptions } from './options.ts';

type BackoffRules = Pick<
  ResolvedRetryOptions,
  'backoff' | 'delayMs' | 'factor' | 'maxDelayMs' | 'jitter'
>;

/** The wait before retry number `retry` (from 0); `drawn` is a chance in [0, 1). */
export function delayBefore(retry: number, drawn: number, rules: BackoffRules): number {
  const delayMs = grownDelay(retry, rules);
  const { jitter } = rules;
  switch (jitter) {
    case 'full':
      return delayMs * drawn;
    case 'equal':
      return (delayMs / 2) * (1 + drawn);
    case 'none':
      return delayMs;
    default:
      return delayMs * (1 - jitter.ratio + 2 * jitter.ratio * drawn);
  }
}

/** The longest that `delayBefore` can say, whatever is drawn. */
export function longestDelayBefore(retry: number, rules: BackoffRules): number {
  const ratio = typeof rules.jitter === 'object' ? rules.jitter.ratio : 0;
  return grownDelay(retry, rules) * (1 + ratio);
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
    case 'constant':
      return delayMs;
  }
}
