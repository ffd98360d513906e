import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type RetryBudget, retryBudget } from '../budget/retry-budget.ts';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { timeout } from '../timeout/timeout.ts';
import { HedgeLostError, hedge } from './hedge.ts';

describe('a hedge without a fixed delay', () => {
  test('learns its delay from how long calls take, and hedges none before it knows enough', async () => {
    const clock = new VirtualClock();
    const quantile = { quantile: 0.9, minimumCalls: 10 };
    const p = pipeline('p', [hedge({ quantile })], { clock });
    const delayMs = () => p.inspect().policies[0]?.hedge?.delayMs ?? -1;
    for (let n = 1; n <= 9; n += 1) await clock.run(() => p.execute(() => clock.sleep(100)));
    const before = delayMs();
    await clock.run(() => p.execute(() => clock.sleep(100)));
    const known = delayMs();

    let runs = 0;
    const beganMs = clock.now();
    await clock.run(() =>
      p.execute(() => {
        runs += 1;
        return clock.sleep(runs === 1 ? 5_000 : 10);
      }),
    );

    assert.equal(before, Infinity);
    assert.ok(known >= 100 && known <= 110.1, `${known} ms`);
    assert.deepEqual([runs, clock.now() - beganMs < 130], [2, true]);
  });

  test('learns from calls that ran out of time as well: they took at least so long', async () => {
    const learned = async (outside: readonly Policy[], inside: readonly Policy[]) => {
      const clock = new VirtualClock();
      const quantile = { quantile: 0.5, minimumCalls: 3 };
      const policies = [...outside, hedge({ quantile }), ...inside];
      const p = pipeline('p', policies, { clock, registry: undefined });
      for (const takesMs of [10, 900, 900]) {
        await clock.run(() => p.execute(() => clock.sleep(takesMs)).catch(() => {}));
      }
      return p.inspect().policies[outside.length]?.hedge?.delayMs ?? -1;
    };
    const [around, within] = [
      await learned([timeout({ limitMs: 200 })], []),
      await learned([], [timeout({ limitMs: 200 })]),
    ];
    assert.ok(around >= 200 && around <= 220.1, `${around} ms`);
    assert.equal(within, around);
  });

  test('keeps its delay within its bounds, and shows it beside its budget', async () => {
    const shown = async (takesMs: number, budget?: RetryBudget) => {
      const clock = new VirtualClock();
      const quantile = { quantile: 0.5, minimumCalls: 1, minDelayMs: 50, maxDelayMs: 60 };
      const p = pipeline('p', [hedge({ quantile, budget })], { clock, registry: undefined });
      await clock.run(() => p.execute(() => clock.sleep(takesMs), { idempotent: false }));
      const { hedge: delay, ...rest } = p.inspect().policies[0]!;
      return [delay?.delayMs, rest.budget];
    };
    const budget = retryBudget({ name: 'shared' });
    const counted = { name: 'shared', calls: 1, spent: 0, allowed: 100.2 };
    assert.deepEqual(
      [await shown(10), await shown(1_000), await shown(100, budget)],
      [
        [50, undefined],
        [60, undefined],
        [60, counted],
      ],
    );
    assert.equal(new HedgeLostError('h').message, 'Another attempt of "h" answered first.');
    assert.equal(new HedgeLostError('h').name, 'HedgeLostError');
  });
});
