import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { delayBefore, longestDelayBefore } from './backoff.ts';
import { RETRY_DEFAULTS, type RetryOptions } from './options.ts';

describe('the delay before a retry', () => {
  test('grows by the factor, by itself, or not at all', () => {
    const delays = (options: RetryOptions) =>
      [0, 1, 2, 3].map((retry) => delayBefore(retry, 0.5, rules({ jitter: 'none', ...options })));
    assert.deepEqual(delays({ backoff: 'exponential', factor: 3 }), [200, 600, 1_800, 5_400]);
    assert.deepEqual(delays({ backoff: 'linear' }), [200, 400, 600, 800]);
    assert.deepEqual(delays({ backoff: 'constant' }), [200, 200, 200, 200]);
  });

  test('is spread by its jitter', () => {
    const spread = (jitter: NonNullable<RetryOptions['jitter']>) =>
      [0, 0.5, 0.999].map((drawn) => Math.round(delayBefore(0, drawn, rules({ jitter }))));
    assert.deepEqual(
      {
        full: spread('full'),
        equal: spread('equal'),
        none: spread('none'),
        ratio: spread({ ratio: 0.25 }),
      },
      {
        full: [0, 100, 200],
        equal: [100, 150, 200],
        none: [200, 200, 200],
        ratio: [150, 200, 250],
      },
    );
  });

  test('is a number between 0 and the longest it can be, for any retry and any draw', () => {
    const anyRules = fc.record({
      backoff: fc.constantFrom('exponential', 'linear', 'constant'),
      jitter: fc.constantFrom('full', 'equal', 'none', { ratio: 0.5 }, { ratio: 1 }),
      delayMs: fc.integer({ min: 0, max: 10_000 }),
      factor: fc.double({ min: 1, max: 100, noNaN: true }),
    });
    fc.assert(
      fc.property(
        anyRules,
        fc.integer({ min: 0, max: 5_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (given, retry, drawn) => {
          const some = rules({ ...given, maxDelayMs: 10_000 } as RetryOptions);
          const delayMs = delayBefore(retry, drawn, some);
          assert.ok(
            delayMs >= 0 && delayMs <= longestDelayBefore(retry, some) + 1e-6,
            `${delayMs}`,
          );
        },
      ),
    );
  });
});

const rules = (options: RetryOptions) => ({ ...RETRY_DEFAULTS, ...options });
