import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RetryBudget } from '../budget/retry-budget.ts';
import { pipeline } from '../pipeline.ts';
import { retryAfterHint } from '../retry/retry-after.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { type StandardOptions, standard } from './standard.ts';

describe('standard', () => {
  test('is the recommended order, and nothing in it is remarked on', () => {
    const whole = standard({
      fallback: { steps: [() => 'default'] },
      shed: {},
      rateLimit: { limit: 100 },
    });
    const { remarks } = pipeline('p', whole, { registry: undefined }).explain();
    assert.deepEqual(
      whole.map(({ kind }) => kind),
      [
        'fallback',
        'shed',
        'deadline',
        'rateLimit',
        'retry',
        'circuitBreaker',
        'bulkhead',
        'timeout',
      ],
    );
    // A fallback of the caller's may take as long as it likes: that is remarked on, rightly.
    assert.deepEqual(
      remarks.map(({ rule }) => rule),
      ['no-time-limit'],
    );
    assert.deepEqual(pipeline('p', standard(), { registry: undefined }).explain().remarks, []);
  });

  test('has the numbers that its defaults say, and its retries a budget', () => {
    const options = (given?: StandardOptions) =>
      Object.fromEntries(standard(given).map(({ kind, options }) => [kind, options as Given]));
    const { bulkhead, circuitBreaker, deadline, retry, timeout } = options();
    assert.deepEqual(
      [bulkhead?.limit, deadline?.limitMs, timeout?.limitMs, circuitBreaker?.consecutiveFailures],
      [1_000, 30_000, 10_000, 5],
    );
    assert.deepEqual(circuitBreaker?.failureRatio, {
      ratio: 0.5,
      minimumCalls: 20,
      windowMs: 30_000,
    });
    assert.equal(retry?.budget?.inspect(0).allowed, 100);
    assert.equal(options({ budget: false }).retry?.budget, undefined);
    assert.notEqual(options({ retry: { budget: undefined } }).retry?.budget, undefined);
    const own = options({
      budget: { name: 'mine' },
      bulkhead: { limit: 7 },
      circuitBreaker: { openMs: 70 },
      rateLimit: { limit: 70 },
      retry: { maxRetries: 7 },
    });
    assert.deepEqual(
      [
        own.retry?.budget?.name,
        own.bulkhead?.limit,
        own.circuitBreaker?.openMs,
        own.circuitBreaker?.failureRatio,
        own.rateLimit?.limit,
        own.retry?.maxRetries,
      ],
      ['mine', 7, 70, undefined, 70, 7],
    );
  });

  test('lets stand what just fits, and what has no queue to wait in', () => {
    const ratio = { ratio: 0.5, minimumCalls: 5, windowMs: 2_000 };
    const fits: readonly StandardOptions[] = [
      { totalMs: 1_000, attemptMs: 1_000, retry: { delayMs: 1_000 } },
      { attemptMs: 1_000, circuitBreaker: { failureRatio: ratio } },
      { totalMs: 1_000, bulkhead: { limit: 1, queueLimit: 5, queueTimeoutMs: 1_000 } },
      { totalMs: 1_000, bulkhead: { limit: 1, queueLimit: 0, queueTimeoutMs: 3_000 } },
      { totalMs: 1_000, bulkhead: { limit: 1, queueTimeoutMs: 3_000 } },
      { totalMs: 1_000, bulkhead: { limit: 1, queueLimit: 5 } },
      { totalMs: 100, retry: false },
      { attemptMs: 20_000, circuitBreaker: false },
    ];
    for (const options of fits) assert.ok(standard(options).length >= 4, JSON.stringify(options));
  });

  test('ends within its total, whatever the function does', async () => {
    const clock = new VirtualClock();
    const p = pipeline('p', standard({ totalMs: 5_000, attemptMs: 2_000 }), { clock });
    const code = await clock.run(() =>
      p.execute(() => new Promise(() => {})).catch((error: { code: string }) => error.code),
    );
    assert.deepEqual(
      [code, clock.now() <= 5_000, p.explain().worstCaseMs],
      ['DEADLINE_EXCEEDED', true, 5_000],
    );
  });

  test('leaves out what is false', () => {
    const parts = { retry: false, budget: false, circuitBreaker: false, bulkhead: false } as const;
    assert.deepEqual(
      standard(parts).map(({ kind }) => kind),
      ['deadline', 'timeout'],
    );
  });

  test('shortens an attempt that nobody named to the total', () => {
    const [total, attempt] = standard({ totalMs: 800 }).filter(({ kind }) => kind !== 'retry');
    assert.deepEqual(
      [total?.options, standard({ totalMs: 800 }).at(-1)?.options],
      [
        { name: 'deadline', limitMs: 800 },
        { name: 'timeout', limitFor: undefined, limitMs: 800 },
      ],
    );
    assert.equal(attempt?.kind, 'circuitBreaker');
  });

  test('refuses numbers that contradict each other, naming both', () => {
    const refused = (options: StandardOptions) => {
      try {
        return standard(options).length;
      } catch (error) {
        return String(error);
      }
    };
    const slow = { ratio: 0.5, minimumCalls: 5, slowCallMs: 500, windowMs: 10_000 };
    assert.deepEqual(
      [
        refused({ totalMs: 1_000, attemptMs: 2_000 }),
        refused({ totalMs: 1_000, retry: { delayMs: 5_000 } }),
        refused({
          attemptMs: 8_000,
          circuitBreaker: { failureRatio: { ratio: 0.5, minimumCalls: 5, windowMs: 10_000 } },
        }),
        refused({ totalMs: 1_000, bulkhead: { limit: 1, queueLimit: 5, queueTimeoutMs: 3_000 } }),
        refused({ totalMs: 1_000, rateLimit: { limit: 5, maxWaitMs: 2_000 } }),
        refused({ attemptMs: 1_000, circuitBreaker: { slowCalls: { ...slow, windowMs: 1_500 } } }),
        refused({
          attemptMs: 1_000,
          circuitBreaker: { slowCalls: { ...slow, slowCallMs: 1_001 } },
        }),
        refused({
          totalMs: 1_550,
          attemptMs: 500,
          retry: { maxRetries: 5, delayMs: 100, jitter: 'equal' },
        }),
        refused({ totalMs: 2_000, retry: { maxRetries: 5, delayMs: 100, jitter: 'full' } }),
        refused({ totalMs: 2_000, retry: { maxRetries: Infinity, delayMs: 100, jitter: 'none' } }),
        refused({ totalMs: 2_000, retry: { maxRetries: 5, delayHint: retryAfterHint() } }),
        refused({ circuitBreaker: { slowCalls: { ...slow, windowMs: Number.NaN } } }),
        refused({ totalMs: Number.NaN }),
        refused({ attemptMs: '5' as never }),
      ],
      [
        'RangeError: standard.attemptMs (2000) must be at most standard.totalMs (1000): no attempt could use its time.',
        'RangeError: standard.retry.delayMs (5000) must be at most standard.totalMs (1000): no retry could begin.',
        'RangeError: standard.attemptMs (8000) must be at most half of circuitBreaker.failureRatio.windowMs (5000): a window must hold two attempts that time out, or their failures leave it unseen.',
        'RangeError: standard.bulkhead.queueTimeoutMs (3000) must be at most standard.totalMs (1000): who waits so long is out of time when it is let in.',
        'RangeError: standard.rateLimit.maxWaitMs (2000) must be at most standard.totalMs (1000): who waits so long is out of time when it is let in.',
        'RangeError: standard.attemptMs (1000) must be at most half of circuitBreaker.slowCalls.windowMs (750): a window must hold two attempts that are slow, or they leave it unseen.',
        'RangeError: standard.circuitBreaker.slowCalls.slowCallMs (1001) must be at most standard.attemptMs (1000): an attempt is over before it could be slow.',
        'RangeError: standard.retry.maxRetries (5) must go with waits that are shorter together than standard.totalMs (1550), not at least 1550 ms: the last retry could never begin.',
        5,
        5,
        5,
        'RangeError: circuitBreaker.slowCalls.windowMs must be a number from 10 to 2147483647, not NaN.',
        'RangeError: standard.totalMs must be a number from 1 to 2147483647, not NaN.',
        'RangeError: standard.attemptMs must be a number from 1 to 2147483647, not "5".',
      ],
    );
  });

  test('refuses parts that are no options, which would otherwise mean the defaults', () => {
    const refused = (options: unknown) => {
      try {
        return standard(options as StandardOptions).length;
      } catch (error) {
        return String(error);
      }
    };
    assert.deepEqual(
      [
        refused(null),
        refused({ retry: 5 }),
        refused({ shed: true }),
        refused({ circuitBreaker: true }),
        refused({ budget: 'x' }),
        refused({ bulkhead: null }),
        refused({ fallback: null }),
        refused({ rateLimit: [] }),
        refused({ attemptMs: null }),
      ],
      [
        'TypeError: standard must be an object of options, not null.',
        'TypeError: standard.retry must be an object of options, or false, not 5.',
        'TypeError: standard.shed must be an object of options, or false, not true.',
        'TypeError: standard.circuitBreaker must be an object of options, or false, not true.',
        'TypeError: standard.budget must be an object of options, or false, not "x".',
        'TypeError: standard.bulkhead must be an object of options, or false, not null.',
        'TypeError: standard.fallback must be an object of options, or false, not null.',
        'TypeError: standard.rateLimit must be an object of options, or false, not a list.',
        'RangeError: standard.attemptMs must be a number from 1 to 2147483647, not null.',
      ],
    );
  });
});

/** Of any part. */
interface Given {
  readonly limit?: number;
  readonly limitMs?: number;
  readonly openMs?: number;
  readonly maxRetries?: number;
  readonly consecutiveFailures?: number | false;
  readonly failureRatio?: object;
  readonly budget?: RetryBudget;
}
