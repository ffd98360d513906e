import { TimedOutError } from '../errors.ts';
import { remarkOnOrder } from '../explain/remarks.ts';
import type { Policy } from '../policy.ts';
import {
  type ResolvedTimeoutOptions,
  resolveTimeoutOptions,
  type TimeoutOptions,
} from './options.ts';
import { TimedStage, type TimeLimit } from './timed-stage.ts';

/**
 * Ends an attempt that takes longer than `limitMs` and throws `TimedOutError`.
 *
 * The function's signal aborts. One that ignores it is left behind: it goes on
 * running, but what it returns reaches nobody (see `ExecuteOptions.discard`).
 *
 * @throws RangeError for a value out of range, TypeError for a name that is no option.
 */
export function timeout(given: TimeoutOptions): Policy<ResolvedTimeoutOptions> {
  const options = resolveTimeoutOptions(given);
  const { name, limitMs, limitFor } = options;
  const remarks = (inside: readonly Policy[]) =>
    remarkOnOrder(
      'timeout-around-retry',
      policy,
      inside,
      'retry',
      (inner) =>
        `"${name}" limits all attempts of "${inner}" together and not each. Put it inside, or use a deadline for the whole.`,
    );
  const policy: Policy<ResolvedTimeoutOptions> = {
    kind: 'timeout',
    name,
    options,
    stage: (world) => new TimedStage(limit, world),
  };
  // One for all pipelines of a family: there may be thousands.
  const limit: TimeLimit = {
    policy,
    remarks,
    limitMs,
    limitFor,
    words: `ends what is inside it after ${limitMs} ms${limitFor ? ' or sooner, as `limitFor` says' : ''}.`,
    overdue: (afterMs: number) => new TimedOutError(name, `"${name}" gave up after ${afterMs} ms.`),
  };
  return policy;
}
