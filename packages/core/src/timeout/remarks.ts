import type { ResolvedBulkheadOptions } from '../bulkhead/options.ts';
import type { Remark } from '../explain/remarks.ts';
import type { Policy } from '../policy.ts';
import type { ResolvedRateLimitOptions } from '../rate-limit/options.ts';
import { leastWaitMs } from '../retry/forecast.ts';
import type { ResolvedRetryOptions } from '../retry/options.ts';
import type { ResolvedTimeLimitOptions } from './options.ts';

type Limit = Policy<ResolvedTimeLimitOptions>;

/** What inside a deadline it leaves no time for. */
export function remarksOnDeadline(deadline: Limit, inside: readonly Policy[]): readonly Remark[] {
  return inside.flatMap((inner, at) => {
    if (inner.kind !== 'retry') return queueOutlasts(deadline, inner);
    const again = inner as Policy<ResolvedRetryOptions>;
    const attempt = inside.slice(at + 1).find(({ kind }) => kind === 'timeout');
    return [
      ...waitsOutlast(deadline, again),
      ...(attempt === undefined ? [] : attemptsOutlast(deadline, again, attempt as Limit)),
    ];
  });
}

function queueOutlasts({ name, options: { limitMs } }: Limit, inner: Policy): readonly Remark[] {
  const waitMs = longestQueueMs(inner);
  if (waitMs <= limitMs) return [];
  const words = `A call may wait longer in "${inner.name}" (${waitMs} ms) than "${name}" gives it (${limitMs} ms). Make the queue's time-out shorter.`;
  return [{ rule: 'queue-outlasts-deadline', policies: [name, inner.name], words }];
}

function longestQueueMs({ kind, options }: Policy): number {
  if (kind === 'rateLimit') return (options as ResolvedRateLimitOptions).maxWaitMs;
  if (kind !== 'bulkhead' && kind !== 'adaptiveLimit') return 0;
  const { queueLimit, queueTimeoutMs } = options as ResolvedBulkheadOptions;
  return queueLimit === 0 ? 0 : queueTimeoutMs;
}

function waitsOutlast(
  { name, options: { limitMs } }: Limit,
  again: Policy<ResolvedRetryOptions>,
): readonly Remark[] {
  const waitsMs = leastWaitMs(again.options);
  // Without a last retry, the deadline is what ends them: that is meant.
  if (again.options.maxRetries === Infinity || waitsMs < limitMs) return [];
  const words = `"${again.name}" waits at least ${waitsMs} ms before its last retry, and "${name}" ends the call after ${limitMs} ms. Retry less often, or wait less.`;
  return [{ rule: 'retries-outlast-deadline', policies: [name, again.name], words }];
}

function attemptsOutlast(
  { name, options: { limitMs } }: Limit,
  again: Policy<ResolvedRetryOptions>,
  attempt: Limit,
): readonly Remark[] {
  const attemptMs = attempt.options.limitMs;
  if (again.options.maxRetries === 0 || limitMs >= 2 * attemptMs) return [];
  const words = `"${name}" (${limitMs} ms) has no room for two attempts that end by "${attempt.name}" (${attemptMs} ms each): what "${again.name}" tries after one is cut short. Make the attempts shorter.`;
  const policies = [name, again.name, attempt.name];
  return [{ rule: 'retries-outlast-deadline', policies, words }];
}
