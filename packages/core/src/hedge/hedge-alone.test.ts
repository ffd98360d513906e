import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, test } from 'node:test';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { retry } from '../retry/retry.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { timeout } from '../timeout/timeout.ts';
import { hedge } from './hedge.ts';
import type { HedgeOptions } from './options.ts';

describe('a hedge', () => {
  test('waits for nothing when it is not going to hedge', async () => {
    const clock = new VirtualClock();
    const p = pipeline('p', [hedge()], { clock, registry: undefined });
    const pending: number[] = [];
    for (const idempotent of [false, true]) {
      await p.execute(() => pending.push(clock.pendingTimers), { idempotent });
    }
    assert.deepEqual(pending, [0, 0]);
  });

  test('runs each attempt in the context of its caller', async () => {
    const who = new AsyncLocalStorage<string>();
    const clock = new VirtualClock();
    const p = pipeline('p', [hedge({ delayMs: 10 })], { clock, registry: undefined });
    const call = (name: string) =>
      who.run(name, () =>
        p.execute(({ attempt }) => {
          const store = who.getStore();
          return attempt === 1 ? new Promise(() => {}) : clock.sleep(10).then(() => store);
        }),
      );
    assert.deepEqual(await clock.run(() => Promise.all([call('ann'), call('bob')])), [
      'ann',
      'bob',
    ]);
  });

  test('discards the result of a hedge whose call a listener ended at that very moment', async () => {
    const clock = new VirtualClock();
    const caller = new AbortController();
    const discarded: unknown[] = [];
    const p = pipeline('p', [hedge({ delayMs: 50 })], {
      clock,
      registry: undefined,
      report: (event) => {
        if (event.type === 'attempt' && event.attempt === 2) caller.abort('gone');
      },
    });
    const outcome = await clock.run(() =>
      p
        .execute<unknown>(
          ({ attempt }) => (attempt === 1 ? new Promise(() => {}) : clock.sleep(20).then(() => 2)),
          { signal: caller.signal, discard: (value) => discarded.push(value) },
        )
        .catch((reason: unknown) => reason),
    );
    assert.deepEqual([outcome, discarded, p.inspect().inFlight], ['gone', [2], 0]);
  });

  test('says in numbers what it may cost', () => {
    const { maxAttempts, worstCaseMs, words } = pipeline('p', [
      hedge({ delayMs: 50, maxHedges: 2 }),
      timeout({ limitMs: 400 }),
    ]).explain();
    assert.deepEqual(
      [maxAttempts, worstCaseMs, words[1]],
      [
        3,
        500,
        '"hedge" sends up to 2 more after 50 ms, and takes the first answer; calls that are not idempotent are sent once.',
      ],
    );
  });

  test('says what is seldom meant around a retry or a time-out, and nothing of others', () => {
    const remarks = (...inside: readonly Policy[]) =>
      pipeline('p', [hedge({ delayMs: 500 }), ...inside], { registry: undefined })
        .explain()
        .remarks.map(({ words }) => words);
    assert.deepEqual(
      [
        remarks(bulkhead({ limit: 2 }), timeout({ limitMs: 900 })),
        remarks(bulkhead({ limit: 2 }), timeout({ limitMs: 100 })),
        remarks(retry({ maxRetries: 1 }), timeout({ limitMs: 900 })),
      ],
      [
        [],
        [
          '"timeout" ends after 100 ms what "hedge" would hedge after 500 ms: it never does. Make its delay shorter.',
        ],
        [
          'Each hedge of "hedge" makes all attempts of "retry" once more, also while that only waits. Put the hedge inside the retry.',
        ],
      ],
    );
  });

  test('refuses options that cannot work, naming the culprit', () => {
    const refused = (options: unknown) => {
      try {
        return hedge(options as HedgeOptions).name;
      } catch (error) {
        return String(error);
      }
    };
    assert.deepEqual(
      [
        { delayMs: -1 },
        { delayMs: 5, quantile: { quantile: 0.9 } },
        { quantile: { quantile: 1 } },
        { maxHedges: 0 },
        { failureWins: 'false' },
        { budget: 3 },
      ].map(refused),
      [
        'RangeError: hedge.delayMs must be a number from 0 to 2147483647, not -1.',
        'RangeError: hedge.delayMs must not be given beside hedge.quantile: one says the delay.',
        'RangeError: hedge.quantile.quantile must be a number from 0.5 to 0.999, not 1.',
        'RangeError: hedge.maxHedges must be a whole number from 1 to 10, not 0.',
        'TypeError: hedge.failureWins must be true or false, not "false".',
        'TypeError: hedge.budget must be made by retryBudget(), not 3.',
      ],
    );
  });
});
