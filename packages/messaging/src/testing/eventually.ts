import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

/**
 * Asks until an answer passes `check`, for what other processes do. An error, of `value` or of `check`, is "not yet".
 *
 * The limit bounds what never comes and nothing else: no test may depend on speed. After it the error says what was
 * waited for and what was seen last. (Here and not in `@holdfast/test-servers`, from where all tests have it, because
 * the contract suites that this package ships stand on it.)
 */
export async function eventually<T>(
  value: () => T | Promise<T>,
  check: (value: T) => boolean,
  /** A function is asked when the time is over: for what a process has said, for one. */
  what: string | (() => string | Promise<string>),
  limitMs = 60_000,
): Promise<T> {
  const untilMs = performance.now() + limitMs;
  for (;;) {
    // The last question begins after the limit: a process that was stopped meanwhile has its chance, too.
    const last = performance.now() > untilMs;
    let seen: string;
    let cause: unknown;
    try {
      const now = await value();
      if (check(now)) return now;
      seen = shown(now);
    } catch (error) {
      cause = error;
      seen = String(error);
    }
    if (last) {
      const waited = typeof what === 'string' ? what : await what();
      throw new Error(`${waited}: not within ${limitMs} ms; last seen: ${seen}`, { cause });
    }
    await sleep(20);
  }
}

function shown(value: unknown): string {
  const limits = { depth: 5, maxArrayLength: 50, maxStringLength: 2_000 };
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY, ...limits });
}
