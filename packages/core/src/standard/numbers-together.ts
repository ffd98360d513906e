import type { CallRatio } from '../breaker/call-ratio.ts';
import type { CircuitBreakerOptions } from '../breaker/options.ts';
import type { BulkheadOptions } from '../bulkhead/options.ts';
import type { RateLimitOptions } from '../rate-limit/options.ts';
import { leastWaitMs } from '../retry/forecast.ts';
import { type RetryOptions, resolveRetryOptions } from '../retry/options.ts';

/**
 * The parts of `standard` whose numbers depend on each other, each of them good by itself. One that
 * is left out has no numbers.
 */
interface Numbers {
  readonly totalMs: number;
  readonly attemptMs: number;
  readonly again: RetryOptions | false;
  readonly breaker: CircuitBreakerOptions;
  readonly gate: Partial<BulkheadOptions>;
  readonly rate: Partial<RateLimitOptions>;
}

/**
 * Throws a `RangeError` that names both options where two contradict each other.
 * What is merely unwise is for `explain().remarks`.
 */
export function checkNumbersTogether(numbers: Numbers): void {
  const { totalMs, attemptMs, again, breaker, gate, rate } = numbers;
  const total = ['standard.totalMs', totalMs] as const;
  const outOfTime = 'who waits so long is out of time when it is let in';

  atMost('attemptMs', attemptMs, total, 'no attempt could use its time');
  if (again !== false) checkRetry(again, total);
  checkBreaker(breaker, attemptMs);
  if ((gate.queueLimit ?? 0) > 0 && gate.queueTimeoutMs !== undefined) {
    atMost('bulkhead.queueTimeoutMs', gate.queueTimeoutMs, total, outOfTime);
  }
  atMost('rateLimit.maxWaitMs', rate.maxWaitMs ?? 0, total, outOfTime);
}

/** The name of what sets a limit, and the limit. */
type Limit = readonly [name: string, value: number];

function checkRetry(again: RetryOptions, total: Limit): void {
  const options = resolveRetryOptions(again);
  atMost('retry.delayMs', options.delayMs, total, 'no retry could begin');
  if (options.maxRetries === Infinity) return;
  const waitsMs = leastWaitMs(options);
  if (waitsMs < total[1]) return;
  throw new RangeError(
    `standard.retry.maxRetries (${options.maxRetries}) must go with waits that are shorter together than ${total[0]} (${total[1]}), not at least ${waitsMs} ms: the last retry could never begin.`,
  );
}

function checkBreaker({ failureRatio, slowCalls }: CircuitBreakerOptions, attemptMs: number): void {
  const windows: readonly [string, CallRatio | undefined, string][] = [
    ['failureRatio', failureRatio, 'time out, or their failures leave it unseen'],
    ['slowCalls', slowCalls, 'are slow, or they leave it unseen'],
  ];
  for (const [name, rule, why] of windows) {
    if (rule?.windowMs === undefined) continue;
    const half = [`half of circuitBreaker.${name}.windowMs`, rule.windowMs / 2] as const;
    atMost('attemptMs', attemptMs, half, `a window must hold two attempts that ${why}`);
  }
  if (slowCalls !== undefined) {
    const attempt = ['standard.attemptMs', attemptMs] as const;
    const why = 'an attempt is over before it could be slow';
    atMost('circuitBreaker.slowCalls.slowCallMs', slowCalls.slowCallMs, attempt, why);
  }
}

function atMost(option: string, value: number, [name, limit]: Limit, why: string): void {
  if (value <= limit) return;
  throw new RangeError(`standard.${option} (${value}) must be at most ${name} (${limit}): ${why}.`);
}
