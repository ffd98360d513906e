import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { hedge } from '../hedge/hedge.ts';
import { pipeline } from '../pipeline.ts';
import { retry } from '../retry/retry.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { timeout } from '../timeout/timeout.ts';
import { retryBudget } from './retry-budget.ts';

describe('a retry budget', () => {
  test('does as a list of moments would, whatever is asked when', () => {
    const step = fc.record({ waitMs: fc.nat(400), what: fc.constantFrom('call', 'spend') });
    const options = fc.record({
      ratio: fc.constantFrom(0, 0.2, 1.5),
      minPerSecond: fc.constantFrom(0, 1, 10),
    });
    fc.assert(
      fc.property(options, fc.array(step, { maxLength: 200, size: 'max' }), (given, steps) => {
        const budget = retryBudget({ ...given, windowMs: 1_000 });
        let nowMs = 0;
        let calls: number[] = [];
        let spent: number[] = [];
        for (const { waitMs, what } of steps) {
          nowMs += waitMs;
          // A slice of a tenth is forgotten as a whole.
          const recent = (atMs: number) => Math.floor(nowMs / 100) - Math.floor(atMs / 100) < 10;
          calls = calls.filter(recent);
          spent = spent.filter(recent);
          if (what === 'call') {
            budget.deposit(nowMs);
            calls.push(nowMs);
          } else {
            const allowed = calls.length * given.ratio + given.minPerSecond;
            assert.equal(budget.withdraw(nowMs), spent.length + 1 <= allowed);
            if (spent.length + 1 <= allowed) spent.push(nowMs);
          }
          const { calls: counted, spent: taken } = budget.inspect(nowMs);
          assert.deepEqual([counted, taken], [calls.length, spent.length]);
        }
      }),
    );
  });

  test('tells how far beyond it the retries are: its calls may be older than they', async () => {
    const used = async (ratio: number, earlier: number) => {
      const clock = new VirtualClock();
      const { events, listener } = record();
      const budget = retryBudget({ ratio, minPerSecond: 0, windowMs: 1_000 });
      for (let n = 0; n < earlier; n += 1) budget.deposit(0);
      await clock.advance(500);
      for (let n = 0; n < earlier; n += 5) assert.ok(budget.withdraw(500));
      await clock.advance(500);
      const p = pipeline('p', [retry({ budget })], { clock, report: listener });
      await p.execute(() => Promise.reject(new Error('down'))).catch(() => {});
      return events.flatMap((event) => (event.type === 'budget-exhausted' ? [event.used] : []));
    };
    // Two spent where one call of late allows a fifth of one; none spent; none allowed.
    assert.deepEqual(
      [await used(0.2, 10), await used(0.2, 0), await used(0, 0)],
      [[10], [1], [Infinity]],
    );
  });

  test('keeps a dependency that is down at 1.2 times its calls, and says why', async () => {
    const clock = new VirtualClock();
    const { events, listener } = record();
    const budget = retryBudget({ minPerSecond: 0 });
    const p = pipeline('p', [retry({ maxRetries: 3, delayMs: 1, budget })], {
      clock,
      report: listener,
    });
    let runs = 0;
    for (let n = 0; n < 100; n += 1) {
      await clock.run(() =>
        p
          .execute(() => {
            runs += 1;
            throw new Error('down');
          })
          .catch(() => {}),
      );
    }
    const stopped = events.filter((event) => event.type === 'retry-stopped');
    const exhausted = events.find((event) => event.type === 'budget-exhausted');
    assert.deepEqual([runs, exhausted?.budget], [120, 'budget']);
    assert.ok(stopped.some(({ why }) => why === 'budget'));
    assert.deepEqual(budget.inspect(clock.now()), {
      name: 'budget',
      calls: 100,
      spent: 20,
      allowed: 20,
    });
  });

  test('is one for retries and hedges, and counts a call once', async () => {
    const clock = new VirtualClock();
    const budget = retryBudget({ ratio: 1, minPerSecond: 0 });
    const policies = [
      retry({ maxRetries: 5, jitter: 'none', delayMs: 1, budget }),
      hedge({ delayMs: 10, budget }),
      timeout({ limitMs: 30 }),
    ];
    const p = pipeline('p', policies, { clock });
    let runs = 0;
    await clock.run(() =>
      p
        .execute(() => {
          runs += 1;
          return new Promise(() => {});
        })
        .catch(() => {}),
    );
    assert.deepEqual([runs, budget.inspect(clock.now()).calls], [2, 1]);
  });

  test('begins anew under a clock that stands earlier: a test’s own after real time', () => {
    const budget = retryBudget({ ratio: 0, minPerSecond: 1, windowMs: 2_000 });
    const taken = [90_000, 90_000, 90_000, 0, 0, 0, 2_000].map((nowMs) => budget.withdraw(nowMs));
    assert.deepEqual(taken, [true, true, false, true, true, false, true]);
  });

  test('is seen in the snapshot of each policy that shares it', async () => {
    const clock = new VirtualClock();
    const budget = retryBudget({ name: 'shared', minPerSecond: 0, ratio: 2 });
    const p = pipeline('p', [retry({ budget, delayMs: 1 }), hedge({ delayMs: 9, budget })], {
      clock,
      registry: undefined,
    });
    await clock.run(() => p.execute(() => Promise.reject(new Error('down'))).catch(() => {}));
    const seen = { name: 'shared', calls: 1, spent: 2, allowed: 2 };
    assert.deepEqual(
      p.inspect().policies.map((policy) => policy.budget),
      [seen, seen],
    );
  });

  test('refuses options that cannot work, naming the culprit', () => {
    assert.throws(() => retryBudget({ ratio: -1 }), {
      name: 'RangeError',
      message: 'retryBudget.ratio must be a number from 0 to 10, not -1.',
    });
    assert.throws(() => retryBudget({ windowMs: Number.NaN }), /retryBudget\.windowMs/);
    assert.throws(() => retry({ budget: {} as never }), /retry\.budget must be made by/);
  });
});
