import { retryAfterHint } from '@holdfast/core';

/** What the rules look at: a `Response` of `fetch`, or anything with a status. */
interface HasStatus {
  readonly status: number;
}

/**
 * Whether a later try may go better: 408, 429 and 5xx, except for 501 and 505,
 * which say that the server will never do it.
 */
export function isRetriableStatus(status: number): boolean {
  if (status === 501 || status === 505) return false;
  return status === 408 || status === 429 || (status >= 500 && status <= 599);
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

/** Whether doing it twice is the same as once (RFC 9110 §9.2.2). */
export function isIdempotentMethod(method: string): boolean {
  return IDEMPOTENT.has(method.toUpperCase());
}

const delayHint = retryAfterHint();

const isRetriable = (value: unknown): boolean => {
  if (!hasStatus(value)) return false;
  // Too large for now, says one that says until when (RFC 9110 §15.5.14).
  if (value.status === 413) return delayHint({ value }) !== undefined;
  return isRetriableStatus(value.status);
};

/** For core's `retry`: `retry({ ...httpRetryRules, maxRetries: 2 })`. */
export const httpRetryRules = {
  retryIfResult: isRetriable,
  delayHint,
} as const;

/**
 * For core's `circuitBreaker`: a 5xx answer is a failure of the dependency,
 * whatever else it said; a 4xx is ours, and says that it is alive. 429 is a
 * failure as well: more requests are what it asked us not to send.
 */
export const httpFailureRules = {
  failureIfResult: (value: unknown): boolean =>
    hasStatus(value) && (value.status >= 500 || value.status === 429),
} as const;

function hasStatus(value: unknown): value is HasStatus {
  return (
    typeof value === 'object' &&
    value !== null &&
    'status' in value &&
    typeof value.status === 'number'
  );
}
