import { TimedOutError } from '../errors.ts';
import type { Policy } from '../policy.ts';
import {
  type ResolvedTimeLimitOptions,
  resolveTimeLimitOptions,
  TIMEOUT_DEFAULTS,
  type TimeoutOptions,
} from './options.ts';
import { TimedStage } from './timed-stage.ts';

/**
 * Ends an attempt that takes longer than `limitMs` and throws `TimedOutError`.
 *
 * The function's signal aborts. One that ignores it is left behind: it goes on
 * running, but what it returns reaches nobody (see `ExecuteOptions.discard`).
 */
export function timeout(given: TimeoutOptions): Policy<ResolvedTimeLimitOptions> {
  const options = resolveTimeLimitOptions(given, TIMEOUT_DEFAULTS);
  const { name, limitMs } = options;
  const limit = {
    limitMs,
    words: `ends what is inside it after ${limitMs} ms.`,
    overdue: () => new TimedOutError(name, `"${name}" gave up after ${limitMs} ms.`),
  };
  const policy: Policy<ResolvedTimeLimitOptions> = {
    kind: 'timeout',
    name,
    options,
    stage: (world) => new TimedStage({ ...limit, policy }, world),
  };
  return policy;
}
