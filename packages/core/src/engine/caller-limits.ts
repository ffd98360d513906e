import { DeadlineExceededError } from '../errors.ts';
import type { Outcome } from '../events.ts';
import type { ExecuteOptions } from '../policy.ts';

/** What ends a call of `pipeline` before it begins, if anything the caller said does. */
export function refusalBy(
  { signal, deadlineMs }: ExecuteOptions<never>,
  pipeline: string,
): { readonly error: unknown; readonly outcome: Outcome } | undefined {
  if (signal?.aborted === true) return { error: signal.reason, outcome: 'cancelled' };
  if (deadlineMs === undefined) return undefined;
  if (typeof deadlineMs !== 'number' || Number.isNaN(deadlineMs)) {
    const rule = 'deadlineMs must be a number of milliseconds';
    return { error: new RangeError(`${rule}, not ${String(deadlineMs)}.`), outcome: 'failure' };
  }
  if (deadlineMs > 0) return undefined;
  return { error: outOfTime(pipeline, deadlineMs), outcome: 'timeout' };
}

/** The time that the caller gave this call is over. */
export function outOfTime(pipeline: string, limitMs: number): DeadlineExceededError {
  const message = `The caller of "${pipeline}" gave it ${limitMs} ms, and they are over.`;
  return new DeadlineExceededError(pipeline, message);
}
