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
    const spread = (jitter: RetryOptions['jitter'] & {}) =>
      [0, 0.5, 0.999].map((drawn) => Math.round(delayBefore(0, drawn, rules({ jitter }))));
    assert.deepEqual(
      {
        full: spread('full'),
        equal: spread('equal'),
        none: spread('none'),
        ratio: spread({ ratio: 0.25 }),
        // delay × (0.5 + random), as some courses teach it.
        half: spread({ ratio: 0.5 }),
        added: spread({ addedMs: 1_000 }),
      },
      {
        full: [0, 100, 200],
        equal: [100, 150, 200],
        none: [200, 200, 200],
        ratio: [150, 200, 250],
        half: [100, 200, 300],
        added: [200, 700, 1_199],
      },
    );
  });

  test('is cut to the longest with what is added to it', () => {
    const cut = rules({ delayMs: 1_000, maxDelayMs: 5_000, jitter: { addedMs: 1_000 } });
    assert.deepEqual(
      [0, 1, 2, 3].map((retry) => delayBefore(retry, 0.5, cut)),
      [1_500, 2_500, 4_500, 5_000],
    );
  });

  test('decorrelated: between the base and three times the one before', () => {
    const some = rules({ backoff: 'decorrelated', delayMs: 100, maxDelayMs: 2_000 });
    let previousMs = 0;
    const delays = [0, 0.5, 0.999, 0.999, 0].map((drawn, retry) => {
      previousMs = delayBefore(retry, drawn, some, previousMs);
      return Math.round(previousMs);
    });
    // 100 + 0 × 200; 100 + 0.5 × 200; 100 + 0.999 × 500; 100 + 0.999 × 1,699; the base.
    assert.deepEqual(delays, [100, 200, 600, 1_797, 100]);
  });

  test('is what a function says, within the limits', () => {
    const asked: unknown[] = [];
    const backoff = (retry: number, drawn: number, previousMs: number) => {
      asked.push([retry, drawn, previousMs]);
      return [70, -5, 1e9][retry] ?? Number.NaN;
    };
    const some = rules({ backoff, maxDelayMs: 500 });
    assert.deepEqual(
      [0, 1, 2].map((retry) => delayBefore(retry, 0.5, some, retry * 10)),
      [70, 0, 500],
    );
    assert.deepEqual(asked[2], [2, 0.5, 20]);
    assert.throws(() => delayBefore(3, 0.5, some), /retry\.backoff must return a number .* NaN/);
  });

  test('is a number between 0 and the longest it can be, for any retry and any draw', () => {
    const anyRules = fc.record({
      backoff: fc.constantFrom('exponential', 'linear', 'constant', 'decorrelated'),
      jitter: fc.constantFrom(
        'full',
        'equal',
        'none',
        { ratio: 0.5 },
        { ratio: 1 },
        { addedMs: 700 },
      ),
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
