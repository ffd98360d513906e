import { delayBefore, isPolicyError, type PolicyErrorCode } from '@holdfast/core';
import { withStack } from '../../error-text.ts';
import { LONGEST_WAIT_MS } from '../../hold.ts';
import type { Kind } from '../kind.ts';
import { hasCode, type JobsFailedError, type RetryLaterError } from './job-errors.ts';

/** What becomes of a job whose handler failed. */
export type Verdict =
  | { readonly kind: 'again'; readonly delayMs: number; readonly error: unknown }
  | {
      readonly kind: 'later';
      readonly delayMs: number;
      readonly counts: boolean;
      readonly error: unknown;
    }
  | { readonly kind: 'dead'; readonly reason: string };

/** One of our policies refused, and the call was not made: that says nothing of the job. */
const NOT_MADE: ReadonlySet<PolicyErrorCode> = new Set([
  'CIRCUIT_OPEN',
  'CIRCUIT_BUSY',
  'BULKHEAD_FULL',
  'QUEUE_TIMED_OUT',
  'RATE_LIMITED',
  'LIMIT_EXCEEDED',
  'THROTTLED',
  'SHED',
]);

export interface Failure {
  readonly id: string;
  readonly delivery: number;
  readonly error: unknown;
  /** A chance in [0, 1). */
  readonly drawn: number;
}

/** Undefined: it did not fail, others of its batch did. */
export function verdictOf(
  { id, delivery, error: thrown, drawn }: Failure,
  { maxDeliveries, backoff }: Pick<Kind, 'maxDeliveries' | 'backoff'>,
): Verdict | undefined {
  let error = thrown;
  if (hasCode<JobsFailedError>(thrown, 'JOBS_FAILED')) {
    if (!thrown.failed.has(id)) return undefined;
    error = thrown.failed.get(id);
  }
  if (hasCode(error, 'JOB_POISON')) return { kind: 'dead', reason: withStack('poison', error) };
  if (hasCode<RetryLaterError>(error, 'JOB_RETRY_LATER') && !(error.counts && last())) {
    return { kind: 'later', delayMs: error.delayMs, counts: error.counts, error };
  }
  const backOffMs = (failures: number) => delayBefore(failures, { drawn, previousMs: 0 }, backoff);
  if (isPolicyError(error) && NOT_MADE.has(error.code)) {
    return again('later', (error.retryAfterMs ?? 0) + backOffMs(0));
  }
  if (last()) return { kind: 'dead', reason: withStack(`failed ${delivery} times; last`, error) };
  return again('again', backOffMs(delivery - 1));

  function again(kind: 'again' | 'later', ms: number): Verdict {
    const delayMs = Math.min(LONGEST_WAIT_MS, Math.round(ms));
    return kind === 'again' ? { kind, delayMs, error } : { kind, delayMs, counts: false, error };
  }

  function last(): boolean {
    return delivery >= maxDeliveries;
  }
}
