import { isPolicyError } from '../errors.ts';
import type { Outcome } from '../events.ts';
import type { Cut } from './stage.ts';

/** How an attempt ended that was cut, as events name it. */
export const OUTCOME_OF_CUT: Readonly<Record<Cut, Outcome>> = {
  overdue: 'timeout',
  cancelled: 'cancelled',
};

/** How an attempt or a call that threw `error` ended, as events name it. */
export function outcomeOf(error: unknown): Outcome {
  if (!isPolicyError(error)) return 'failure';
  return error.code === 'TIMED_OUT' || error.code === 'DEADLINE_EXCEEDED' ? 'timeout' : 'refused';
}

/** How an attempt or a call ended that was not cut. */
export const endOf = (value: unknown, failed: boolean): Outcome =>
  failed ? outcomeOf(value) : 'success';

/** Whether one of our policies refused the call, so that nothing was sent. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof Error && outcomeOf(error) === 'refused';
