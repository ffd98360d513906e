import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { pipeline } from '../pipeline.ts';
import { record } from '../testing/record.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { delayBefore, leastDelayBefore, longestDelayBefore } from './backoff.ts';
import { type BackoffContext, type RetryOptions, resolveRetryOptions } from './options.ts';
import { retry } from './retry.ts';

describe('the delay before a retry', () => {
  test('grows by the factor, by itself, or not at all', () => {
    const delays = (options: RetryOptions) =>
      [0, 1, 2, 3].map((n) => delay(n, 0.5, { jitter: 'none', ...options }));
    assert.deepEqual(delays({ backoff: 'exponential', factor: 3 }), [200, 600, 1_800, 5_400]);
    assert.deepEqual(delays({ backoff: 'linear' }), [200, 400, 600, 800]);
    assert.deepEqual(delays({ backoff: 'constant' }), [200, 200, 200, 200]);
  });

  test('is spread by its jitter', () => {
    const spread = (jitter: RetryOptions['jitter'] & {}) =>
      [0, 0.5, 0.999].map((drawn) => Math.round(delay(0, drawn, { jitter })));
    assert.deepEqual(
      {
        full: spread('full'),
        equal: spread('equal'),
        none: spread('none'),
        ratio: spread({ ratio: 0.25 }),
        added: spread({ addedMs: 1_000 }),
      },
      {
        full: [0, 100, 200],
        equal: [100, 150, 200],
        none: [200, 200, 200],
        ratio: [150, 200, 250],
        added: [200, 700, 1_199],
      },
    );
  });

  test('is spread by a ratio or by so much on top; both together were the second alone, without a word', () => {
    const made = (jitter: object) => delay(0, 0.75, { jitter: jitter as never });
    assert.deepEqual(
      [made({ ratio: 0.5, addedMs: undefined }), made({ ratio: undefined, addedMs: 8 })],
      [250, 206],
    );
    assert.throws(() => made({ ratio: 0.5, addedMs: 9 }), {
      name: 'RangeError',
      message: 'retry.jitter must have ratio or addedMs, not both.',
    });
    assert.throws(
      () => made({}),
      /retry\.jitter\.ratio must be a number from 0 to 1, not undefined/,
    );
  });

  test('decorrelated: between the base and three times the one before', () => {
    let previousMs = 0;
    const delays = [0, 0.5, 0.999, 0.999, 0].map((drawn, n) => {
      const options = { backoff: 'decorrelated', delayMs: 100, maxDelayMs: 2_000 } as const;
      previousMs = delay(n, drawn, options, { previousMs });
      return Math.round(previousMs);
    });
    // 100 + 0 × 200; 100 + 0.5 × 200; 100 + 0.999 × 500; 100 + 0.999 × 1,699; the base.
    assert.deepEqual(delays, [100, 200, 600, 1_797, 100]);
  });

  test('is what a function says, within the limits; it sees how the attempt ended', () => {
    const asked: unknown[] = [];
    const backoff = (n: number, context: BackoffContext) => {
      asked.push([n, context]);
      return [70, -5, Infinity][n] ?? Number.NaN;
    };
    const options = { backoff, maxDelayMs: 500 };
    const ended = [{ error: 'down' }, { value: 503 }, { value: undefined }];
    assert.deepEqual(
      ended.map((end, n) => delay(n, 0.5, options, { ...end, previousMs: n * 10 })),
      [70, 0, 500],
    );
    assert.deepEqual(asked, [
      [0, { error: 'down', drawn: 0.5, previousMs: 0 }],
      [1, { value: 503, drawn: 0.5, previousMs: 10 }],
      [2, { value: undefined, drawn: 0.5, previousMs: 20 }],
    ]);
    assert.throws(() => delay(3, 0.5, options), /retry\.backoff must return a number .* NaN/);
  });

  test('a back-off with a chance of its own takes no jitter beside it', () => {
    const made = (options: RetryOptions) => resolveRetryOptions(options).jitter;
    assert.deepEqual(
      [made({ backoff: 'decorrelated' }), made({ backoff: () => 5, jitter: 'none' })],
      ['none', 'none'],
    );
    assert.throws(() => made({ backoff: 'decorrelated', jitter: 'full' }), {
      name: 'RangeError',
      message:
        'retry.jitter must not be given beside a backoff that is decorrelated: its chance is its own.',
    });
    assert.throws(() => made({ backoff: () => 5, jitter: { ratio: 0.5 } }), /that is a function/);
  });
});

/** Each written down once more as its source has it, in the slowest and plainest way. */
describe('each formula is its source’s', () => {
  const anyRules = fc.record({
    delayMs: fc.integer({ min: 1, max: 10_000 }),
    factor: fc.double({ min: 1, max: 100, noNaN: true }),
    maxDelayMs: fc.integer({ min: 10_000, max: 60_000 }),
  });
  const anyDraw = fc.double({ min: 0, max: 0.999_999, noNaN: true });
  const anyRetry = fc.integer({ min: 0, max: 200 });

  /** Grows one multiplication at a time, and stops at the longest. */
  const grown = (n: number, { delayMs, factor, maxDelayMs }: Required<Numbers>) => {
    let ms = delayMs;
    for (let i = 0; i < n && ms < maxDelayMs; i += 1) ms *= factor;
    return Math.min(ms, maxDelayMs);
  };

  const sources: Record<
    string,
    [options: RetryOptions, model: (n: number, u: number, rules: Required<Numbers>) => number]
  > = {
    'AWS, full jitter: random between 0 and min(cap, base · 2^n)': [
      { jitter: 'full' },
      (n, u, rules) => u * grown(n, rules),
    ],
    'AWS, equal jitter: half of it, and a random part of the other half': [
      { jitter: 'equal' },
      (n, u, rules) => grown(n, rules) / 2 + (u * grown(n, rules)) / 2,
    ],
    'half more or less: min(base · 2^n, max) × (0.5 + random)': [
      { jitter: { ratio: 0.5 } },
      (n, u, rules) => grown(n, rules) * (0.5 + u),
    ],
    'added: min(base · 2^n + uniform(0, 1) s, max)': [
      { jitter: { addedMs: 1_000 } },
      (n, u, rules) => Math.min(grown(n, rules) + u * 1_000, rules.maxDelayMs),
    ],
    'Dapr: from interval − 50 % to interval + 50 %': [
      { jitter: { ratio: 0.5 } },
      (n, u, rules) => {
        const interval = grown(n, rules);
        const [min, max] = [interval - 0.5 * interval, interval + 0.5 * interval];
        return min + u * (max - min);
      },
    ],
    'linear: n + 1 times the base': [
      { backoff: 'linear', jitter: 'none' },
      (n, _u, { delayMs, maxDelayMs }) => {
        let ms = 0;
        for (let i = 0; i <= n; i += 1) ms += delayMs;
        return Math.min(ms, maxDelayMs);
      },
    ],
    'constant: the base': [
      { backoff: 'constant', jitter: 'none' },
      (_n, _u, { delayMs }) => delayMs,
    ],
  };

  for (const [name, [options, model]] of Object.entries(sources)) {
    test(name, () => {
      fc.assert(
        fc.property(anyRules, anyRetry, anyDraw, (numbers, n, drawn) => {
          const said = delay(n, drawn, { ...numbers, ...options });
          const expected = model(n, drawn, numbers);
          assert.ok(Math.abs(said - expected) <= expected * 1e-9, `${said}, not ${expected}`);
          const longest = longestDelayBefore(n, resolveRetryOptions({ ...numbers, ...options }));
          assert.ok(said >= 0 && said <= longest * (1 + 1e-9), `${said} of at most ${longest}`);
          const least = leastDelayBefore(n, resolveRetryOptions({ ...numbers, ...options }));
          assert.ok(said >= least * (1 - 1e-9), `${said} of at least ${least}`);
        }),
      );
    });
  }

  test('AWS, decorrelated: sleep = min(cap, uniform(base, 3 · sleep)), from the base on', async () => {
    const anySeed = fc.integer({ min: 1, max: 1_000_000 });
    await fc.assert(
      fc.asyncProperty(anyRules, anySeed, async ({ delayMs, maxDelayMs }, seed) => {
        const clock = new VirtualClock();
        const { events, listener } = record();
        const policy = retry({ maxRetries: 12, backoff: 'decorrelated', delayMs, maxDelayMs });
        const env = { clock, random: seededRandom(seed), report: listener, registry: undefined };
        const p = pipeline('p', [policy], env);
        await clock.run(() => p.execute(() => Promise.reject(new Error('down'))).catch(() => {}));

        const random = seededRandom(seed);
        let sleepMs = delayMs;
        const expected = Array.from({ length: 12 }, () => {
          sleepMs = Math.min(maxDelayMs, delayMs + random.next() * (3 * sleepMs - delayMs));
          return sleepMs;
        });
        const waits = events.flatMap((event) => (event.type === 'retry' ? [event.delayMs] : []));
        assert.deepEqual(waits, expected);
      }),
      { numRuns: 30 },
    );
  });

  test('any of them, after any number of retries, is a number', () => {
    const anyOptions = fc.record({
      backoff: fc.constantFrom('exponential', 'linear', 'constant'),
      jitter: fc.constantFrom('full', 'equal', 'none', { ratio: 1 }, { addedMs: 700 }),
      delayMs: fc.integer({ min: 0, max: 10_000 }),
      factor: fc.double({ min: 1, max: 100, noNaN: true }),
    });
    const many = fc.integer({ min: 0, max: 1_000_000 });
    fc.assert(
      fc.property(anyOptions, many, anyDraw, (given, n, drawn) => {
        const options = { ...given, maxDelayMs: 10_000 } as RetryOptions;
        const said = delay(n, drawn, options);
        const longest = longestDelayBefore(n, resolveRetryOptions(options));
        assert.ok(said >= 0 && said <= longest * (1 + 1e-9), `${said}`);
        const least = leastDelayBefore(n, resolveRetryOptions(options));
        assert.ok(least >= 0 && said >= least * (1 - 1e-9), `${said} of at least ${least}`);
      }),
    );
  });
});

type Numbers = Pick<RetryOptions, 'delayMs' | 'factor' | 'maxDelayMs'>;

/** The delay before retry `n` with these options, given chance and what came before. */
function delay(
  n: number,
  drawn: number,
  options: RetryOptions,
  before: Partial<BackoffContext> = {},
): number {
  return delayBefore(n, { drawn, previousMs: 0, ...before }, resolveRetryOptions(options));
}
