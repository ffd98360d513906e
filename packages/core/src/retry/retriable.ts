import { isPolicyError } from '../errors.ts';

/**
 * Whether `error` says that the program is wrong: no second attempt mends that.
 *
 * `fetch` throws a `TypeError` for a network that failed, too; each engine
 * words it in its own way, Node and Deno add the cause, Bun the code.
 */
export function isProgrammingError(error: unknown): boolean {
  if (error instanceof TypeError) {
    const { cause, code } = error as { cause?: unknown; code?: unknown };
    // Node's own for wrong arguments begin so; any other names what failed outside of the program, as in Bun.
    const isOutside = typeof code === 'string' && !code.startsWith('ERR_');
    return cause === undefined && !isOutside && !FETCH_FAILURE.test(error.message);
  }
  return (
    error instanceof RangeError || error instanceof ReferenceError || error instanceof SyntaxError
  );
}

/** Node, Chromium, Safari and what it said before version 17, Firefox, React Native, Workers, Bun, Deno. */
const FETCH_FAILURE =
  /^(fetch failed|terminated$|Failed to fetch|network error|Load failed|The Internet connection appears|The network connection was lost|NetworkError|Network request (failed|timed out)|Network connection lost| ?A network error occurred|error sending request)/;

/** Whether a circuit refused the call: it says itself when to come back, and until then always no. */
export function isCircuitRefusal(error: unknown): boolean {
  return isPolicyError(error) && /^CIRCUIT_/.test(error.code);
}

/** Whether `error` proves that no connection was made, so that nothing can have been executed. */
export function isBeforeSending(error: unknown): boolean {
  const { code, cause } = Object(error) as { code?: unknown; cause?: unknown };
  const { code: deeper, message } = Object(cause) as { code?: unknown; message?: unknown };
  return NEVER_SENT.has(code) || NEVER_SENT.has(deeper) || DENO_CONNECTS.test(String(message));
}

/** Deno's causes have no code, but say in which phase it was. */
const DENO_CONNECTS = /client error \(Connect\)/;

const NEVER_SENT: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);
