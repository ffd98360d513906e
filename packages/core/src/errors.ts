/**
 * Names what happened; compare this rather than using `instanceof`: two copies
 * of this package can meet in one process, and each has classes of its own.
 */
export type PolicyErrorCode =
  | 'CIRCUIT_OPEN'
  | 'CIRCUIT_BUSY'
  | 'TIMED_OUT'
  | 'DEADLINE_EXCEEDED'
  | 'BULKHEAD_FULL'
  | 'QUEUE_TIMED_OUT'
  | 'RATE_LIMITED'
  | 'LIMIT_EXCEEDED'
  | 'THROTTLED'
  | 'SHED';

/**
 * A call that one of our policies refused or cut short. Errors thrown by the
 * dependency are never wrapped: they reach the caller as they were thrown.
 */
export abstract class PolicyError extends Error {
  abstract readonly code: PolicyErrorCode;

  /** The policy's name, as written in its options or in resiliency.yaml. */
  readonly policy: string;

  /** The pipeline that it ended a call of, the innermost of several; undefined until then. */
  readonly pipeline: string | undefined = undefined;

  /** When it may be worth trying again; undefined where nobody can know. Milliseconds, 0 or more. */
  readonly retryAfterMs: number | undefined;

  constructor(policy: string, message: string, retryAfterMs?: number, cause?: unknown) {
    const limit = Error.stackTraceLimit;
    // Its stack would show this package or a timer, never the caller, and costs five times the rest.
    // By `Reflect`, which does not throw where nobody may change that (`--frozen-intrinsics`, SES).
    Reflect.set(Error, 'stackTraceLimit', 0);
    super(message, cause === undefined ? undefined : { cause });
    Reflect.set(Error, 'stackTraceLimit', limit);
    this.policy = policy;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The circuit is open: the call was not made. `cause` is the failure that opened it. */
export class CircuitOpenError extends PolicyError {
  override readonly name = 'CircuitOpenError';
  readonly code = 'CIRCUIT_OPEN';
}

/** The circuit is half-open and its probes are all in flight: the call was not made. */
export class CircuitBusyError extends PolicyError {
  override readonly name = 'CircuitBusyError';
  readonly code = 'CIRCUIT_BUSY';
}

/** One attempt took longer than its limit. The function may still be running. */
export class TimedOutError extends PolicyError {
  override readonly name = 'TimedOutError';
  readonly code = 'TIMED_OUT';
}

/** The whole call ran out of time, in an attempt or while waiting. */
export class DeadlineExceededError extends PolicyError {
  override readonly name = 'DeadlineExceededError';
  readonly code = 'DEADLINE_EXCEEDED';
}

/** The bulkhead and its queue are full: the call was not made. */
export class BulkheadFullError extends PolicyError {
  override readonly name = 'BulkheadFullError';
  readonly code = 'BULKHEAD_FULL';
}

/** The call waited in the bulkhead's queue for as long as it was allowed to, and was not made. */
export class QueueTimedOutError extends PolicyError {
  override readonly name = 'QueueTimedOutError';
  readonly code = 'QUEUE_TIMED_OUT';
}

/** The rate is used up: the call was not made. `retryAfterMs` says when it may be. */
export class RateLimitedError extends PolicyError {
  override readonly name = 'RateLimitedError';
  readonly code = 'RATE_LIMITED';
}

/** The adaptive limit has no place for the call now: it was not made. */
export class LimitExceededError extends PolicyError {
  override readonly name = 'LimitExceededError';
  readonly code = 'LIMIT_EXCEEDED';
}

/** So few of the last calls were accepted that this one was not made. */
export class ThrottledError extends PolicyError {
  override readonly name = 'ThrottledError';
  readonly code = 'THROTTLED';
}

/** This process has more to do than it can, and the call matters less than others: it was not made. */
export class ShedError extends PolicyError {
  override readonly name = 'ShedError';
  readonly code = 'SHED';
}

/** Whether `error` is a `PolicyError`, of whichever copy of this package. */
export function isPolicyError(error: unknown): error is PolicyError {
  try {
    return (
      error instanceof Error && 'policy' in error && 'code' in error && 'retryAfterMs' in error
    );
  } catch {
    // Anything can be thrown, a proxy that has been revoked as well: it is none of ours.
    return false;
  }
}
