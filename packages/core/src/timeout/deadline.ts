import { DeadlineExceededError } from '../errors.ts';
import type { Policy } from '../policy.ts';
import {
  DEADLINE_DEFAULTS,
  type DeadlineOptions,
  type ResolvedTimeLimitOptions,
  resolveTimeLimitOptions,
} from './options.ts';
import { remarksOnDeadline } from './remarks.ts';
import { TimedStage } from './timed-stage.ts';

/**
 * Ends a whole call that takes longer than `limitMs`, in an attempt or while
 * waiting, and throws `DeadlineExceededError`. Belongs outermost. A retry inside
 * it does not begin a wait that would outlast it.
 *
 * @throws RangeError for a value out of range, TypeError for a name that is no option.
 */
export function deadline(given: DeadlineOptions): Policy<ResolvedTimeLimitOptions> {
  const options = resolveTimeLimitOptions(given, DEADLINE_DEFAULTS);
  const { name, limitMs } = options;
  const limit = {
    limitMs,
    words: `ends the whole of it after ${limitMs} ms.`,
    overdue: () =>
      new DeadlineExceededError(name, `"${name}" ended the call: its ${limitMs} ms are over.`),
  };
  const policy: Policy<ResolvedTimeLimitOptions> = {
    kind: 'deadline',
    name,
    options,
    stage: (world) => new TimedStage({ ...limit, policy, remarks }, world),
  };
  const remarks = (inside: readonly Policy[]) => remarksOnDeadline(policy, inside);
  return policy;
}
