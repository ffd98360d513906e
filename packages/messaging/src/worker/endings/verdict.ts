import { delayBefore } from '@holdfast/core';
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
  if (last()) return { kind: 'dead', reason: withStack(`failed ${delivery} times; last`, error) };
  const delayMs = delayBefore(delivery - 1, { drawn, previousMs: 0 }, backoff);
  return { kind: 'again', delayMs: Math.min(LONGEST_WAIT_MS, Math.round(delayMs)), error };

  function last(): boolean {
    return delivery >= maxDeliveries;
  }
}
