import { isPolicyError } from '../errors.ts';

/**
 * Whether `error` says that the program is wrong: no second attempt mends that.
 *
 * `fetch` throws a `TypeError` for a network that failed, too; each engine
 * words it in its own way, and Node adds the cause.
 */
export function isProgrammingError(error: unknown): boolean {
  if (error instanceof TypeError) {
    return error.cause === undefined && !FETCH_FAILURE.test(error.message);
  }
  return (
    error instanceof RangeError || error instanceof ReferenceError || error instanceof SyntaxError
  );
}

/** Node, Chromium, Safari, Firefox. */
const FETCH_FAILURE = /^(fetch failed|Failed to fetch|Load failed|NetworkError)/;

/** Whether a circuit refused the call: it says itself when to come back, and until then always no. */
export function isCircuitRefusal(error: unknown): boolean {
  return isPolicyError(error) && (error.code === 'CIRCUIT_OPEN' || error.code === 'CIRCUIT_BUSY');
}

/** Whether `error` proves that no connection was made, so that nothing can have been executed. */
export function isBeforeSending(error: unknown): boolean {
  const { code, cause } = Object(error) as { code?: unknown; cause?: { code?: unknown } };
  return NEVER_SENT.has(code) || NEVER_SENT.has(cause?.code);
}

const NEVER_SENT: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);
