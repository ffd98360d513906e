import type { Forecast, WorstCase } from '../explain/explain.ts';
import { leastDelayBefore, longestDelayBefore } from './backoff.ts';
import { RETRY_DEFAULTS, type ResolvedRetryOptions } from './options.ts';

/** So many delays are added up one by one; the rest count as the last. */
const COUNTED_RETRIES = 1_000;

/** The longest and the most that retrying makes of what is inside it. */
export function forecastRetry(inner: WorstCase, options: ResolvedRetryOptions): Forecast {
  const { maxRetries, maxElapsedMs } = options;
  const waitsMs = longestWaitMs(options);
  const triedMs = maxRetries === Infinity ? Infinity : inner.worstCaseMs * (maxRetries + 1);
  const allMs = triedMs + waitsMs;
  // The last attempt may begin just before the time is up, and then takes as long as any.
  const worstCaseMs = Math.min(allMs, maxElapsedMs + inner.worstCaseMs);
  const { budget } = options;
  const within = budget === undefined ? '' : `, within the budget "${budget.name}"`;
  const times =
    maxRetries === Infinity
      ? 'without end'
      : `up to ${maxRetries} times and waits up to ${waitsMs} ms between them in all`;
  return {
    worstCaseMs,
    maxAttempts: inner.maxAttempts * (maxRetries + 1),
    words: `tries again ${times}${within}.`,
  };
}

/** The least that it waits in all before its last retry, whatever is drawn; 0 where the dependency may say. */
export function leastWaitMs(options: ResolvedRetryOptions): number {
  if (options.delayHint !== RETRY_DEFAULTS.delayHint) return 0;
  const counted = Math.min(options.maxRetries, COUNTED_RETRIES);
  let sumMs = 0;
  for (let retry = 0; retry < counted; retry += 1) sumMs += leastDelayBefore(retry, options);
  return sumMs;
}

function longestWaitMs(options: ResolvedRetryOptions): number {
  const counted = Math.min(options.maxRetries, COUNTED_RETRIES);
  let sumMs = 0;
  for (let retry = 0; retry < counted; retry += 1) sumMs += longestWaitBefore(retry, options);
  // Delays do not shrink: none of the rest is longer than the last.
  const rest = options.maxRetries - counted;
  const lastMs = longestWaitBefore(Math.min(options.maxRetries, Number.MAX_SAFE_INTEGER), options);
  return rest === 0 || lastMs === 0 ? sumMs : sumMs + rest * lastMs;
}

function longestWaitBefore(retry: number, options: ResolvedRetryOptions): number {
  const hinted = options.delayHint === RETRY_DEFAULTS.delayHint ? 0 : options.maxDelayMs;
  return Math.max(hinted, longestDelayBefore(retry, options));
}
