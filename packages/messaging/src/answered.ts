import type { Clock } from '@holdfast/core';

/** How long a server may take. */
export interface Patience {
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** What `work` comes to, unless the server takes longer over it than it may. */
export async function answered<T>(
  work: Promise<T>,
  { clock, timeoutMs }: Patience,
  what = 'answer',
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = clock.timer(timeoutMs, () =>
    late.reject(new Error(`it did not ${what} within ${timeoutMs} ms`)),
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    timer.cancel();
  }
}
