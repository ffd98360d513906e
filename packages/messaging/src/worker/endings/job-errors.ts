import { checkInteger } from '../../check.ts';
import { LONGEST_WAIT_MS } from '../../hold.ts';

/** Compare `code` rather than using `instanceof`: two copies of this package can meet. */
export type JobErrorCode =
  | 'JOB_POISON'
  | 'JOB_RETRY_LATER'
  | 'JOBS_FAILED'
  | 'JOB_CANCELLED'
  | 'JOB_LEASE_LOST'
  | 'WORKER_STOPPED';

/** Thrown by a handler: this job can never succeed. It is dead at once, with `message` as its reason. */
export class PoisonError extends Error {
  override readonly name = 'PoisonError';
  readonly code = 'JOB_POISON';
}

export interface RetryLater {
  /** Due again after this. Whole ms (0 … 2^31 − 1: 24.8 days); for more, enqueue a new job with `delayMs`. */
  readonly delayMs: number;
  /** Whether this delivery counts towards `maxDeliveries`. @default false */
  readonly counts?: boolean;
}

/**
 * Thrown by a handler: not now, and it is not the job's fault (a `Retry-After`, a quota). It is due
 * again after `delayMs`; unless `counts` it may go on so for ever.
 */
export class RetryLaterError extends Error {
  override readonly name = 'RetryLaterError';
  readonly code = 'JOB_RETRY_LATER';
  readonly delayMs: number;
  readonly counts: boolean;

  constructor({ delayMs, counts = false }: RetryLater, message = 'later', options?: ErrorOptions) {
    super(message, options);
    checkInteger('RetryLaterError.delayMs', delayMs, 0, LONGEST_WAIT_MS);
    this.delayMs = delayMs;
    this.counts = counts;
  }
}

/** Thrown by the handler of a batch: these jobs failed, by id and with what; the others are done. */
export class JobsFailedError extends Error {
  override readonly name = 'JobsFailedError';
  readonly code = 'JOBS_FAILED';
  readonly failed: ReadonlyMap<string, unknown>;

  constructor(failed: ReadonlyMap<string, unknown>) {
    super(`${failed.size} job(s) of a batch failed`);
    this.failed = failed;
  }
}

/** Why `job.signal` aborted: somebody cancelled the job. */
export class JobCancelledError extends Error {
  override readonly name = 'JobCancelledError';
  readonly code = 'JOB_CANCELLED';
}

/** Why `job.signal` aborted: the lease lapsed, and another worker may have the job. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
  readonly code = 'JOB_LEASE_LOST';
}

/** Why `job.signal` aborted: the worker stops, and its patience is over. The job is given back. */
export class WorkerStoppedError extends Error {
  override readonly name = 'WorkerStoppedError';
  readonly code = 'WORKER_STOPPED';
}

export function hasCode<E extends { readonly code: JobErrorCode }>(
  error: unknown,
  code: E['code'],
): error is E {
  // An error of another realm (a `vm`, a test's) is no instance of this one's `Error`.
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
