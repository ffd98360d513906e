import { checkBoolean, checkFunction, checkObject, checkOneOf, checkString } from '../check.ts';
import { DeadlineExceededError } from '../errors.ts';
import type { Outcome } from '../events.ts';
import { CRITICALITIES, type ExecuteOptions } from '../policy.ts';

/** What ends a call of `pipeline` before it begins, if anything the caller said does. */
export function refusalBy(
  options: ExecuteOptions<never>,
  pipeline: string,
): { readonly error: unknown; readonly outcome: Outcome } | undefined {
  try {
    checkOptions(options);
  } catch (error) {
    return { error, outcome: 'failure' };
  }
  const { signal, deadlineMs } = options;
  if (signal?.aborted === true) return { error: signal.reason, outcome: 'cancelled' };
  if (deadlineMs === undefined || deadlineMs > 0) return undefined;
  return { error: outOfTime(pipeline, deadlineMs), outcome: 'timeout' };
}

/** From JavaScript anything may come: `idempotent: 'false'` would have the call repeated. */
function checkOptions(options: ExecuteOptions<never>): void {
  checkObject('execute.options', options);
  const { signal, deadlineMs, idempotent, criticality, key, cacheKey } = options;
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw new TypeError(`execute.signal must be an AbortSignal, not ${String(signal)}.`);
  }
  if (deadlineMs !== undefined && (typeof deadlineMs !== 'number' || Number.isNaN(deadlineMs))) {
    throw new RangeError(`deadlineMs must be a number of milliseconds, not ${String(deadlineMs)}.`);
  }
  if (idempotent !== undefined) checkBoolean('execute.idempotent', idempotent);
  if (criticality !== undefined) checkOneOf('execute.criticality', criticality, CRITICALITIES);
  if (key !== undefined) checkString('execute.key', key);
  if (cacheKey !== undefined) checkString('execute.cacheKey', cacheKey);
  checkFunction('execute.onDegraded', options.onDegraded);
  checkFunction('execute.discard', options.discard);
}

/** The time that the caller gave this call is over. */
export function outOfTime(pipeline: string, limitMs: number): DeadlineExceededError {
  const message = `The caller of "${pipeline}" gave it ${limitMs} ms, and they are over.`;
  return new DeadlineExceededError(pipeline, message);
}
