import type { ExecuteOptions } from '../policy.ts';
import type { LateListener } from './flight.ts';
import { letFail } from './report/let-fail.ts';
import type { StageWorld } from './stage.ts';

/** Hears of the result of a function that call number `call` leaves behind now. */
export function lateListener(
  { clock, pipeline, reporter }: StageWorld,
  call: number,
  options: ExecuteOptions<never> | undefined,
): LateListener {
  const leftMs = clock.now();
  return (value, failed) => {
    if (reporter.listening) {
      reporter.report(call, {
        type: 'late-result',
        policy: pipeline,
        outcome: failed ? 'failure' : 'success',
        lateByMs: clock.now() - leftMs,
      });
    }
    if (!failed) discard(options, value);
  };
}

/** Gives a result that nobody will see to the caller's `discard`. */
export function discard(options: ExecuteOptions<never> | undefined, value: unknown): void {
  try {
    letFail(options?.discard?.(value as never));
  } catch {
    // Nobody waits for this result, nor for what its discarding throws.
  }
}
