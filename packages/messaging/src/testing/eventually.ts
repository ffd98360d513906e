import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until `value` passes `check`, for real processes. Generous: no test may depend on speed. */
export async function eventually<T>(
  value: () => T | Promise<T>,
  check: (value: T) => boolean,
  what: string,
  limitMs = 60_000,
): Promise<T> {
  const untilMs = performance.now() + limitMs;
  for (;;) {
    const now = await value();
    if (check(now)) return now;
    if (performance.now() > untilMs) {
      throw new Error(`${what}: not within ${limitMs} ms; last seen: ${JSON.stringify(now)}`);
    }
    await sleep(20);
  }
}
