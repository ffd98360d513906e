import { isPolicyError, type PolicyErrorCode } from '@holdfast/core';

/** What a caller is told in place of an answer. */
export interface RefusalAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON: the error's code. The policy's name and numbers stay inside. */
  readonly body: string;
}

/** Too many from this caller; nobody can be served now; no time was left. */
const STATUS: Readonly<Record<PolicyErrorCode, number>> = {
  RATE_LIMITED: 429,
  CIRCUIT_OPEN: 503,
  CIRCUIT_BUSY: 503,
  BULKHEAD_FULL: 503,
  QUEUE_TIMED_OUT: 503,
  LIMIT_EXCEEDED: 503,
  THROTTLED: 503,
  SHED: 503,
  TIMED_OUT: 504,
  DEADLINE_EXCEEDED: 504,
};

/**
 * The answer to a request that a policy refused or broke off, with `retry-after`
 * where the policy knows; undefined for any other error.
 */
export function refusalAnswer(error: unknown): RefusalAnswer | undefined {
  if (!isPolicyError(error)) return undefined;
  const retryAfterMs: unknown = Reflect.get(error, 'retryAfterMs');
  const isKnown = typeof retryAfterMs === 'number' && Number.isFinite(retryAfterMs);
  return {
    status: STATUS[error.code],
    headers: {
      'content-type': 'application/json',
      // Whole seconds are all that it can say; rounded up, for sooner would be refused again.
      ...(isKnown && { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1_000))) }),
    },
    body: JSON.stringify({ error: error.code }),
  };
}
