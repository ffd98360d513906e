import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type RetryBudget, retryBudget } from '../budget/retry-budget.ts';
import { BulkheadFullError, TimedOutError } from '../errors.ts';
import { pipeline } from '../pipeline.ts';
import type { CallFunction, Policy } from '../policy.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { timeout } from '../timeout/timeout.ts';
import { HedgeLostError, hedge } from './hedge.ts';
import type { HedgeOptions } from './options.ts';

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

  test('learns nothing from a failure, a refusal, an answer that is none, or a caller who left', async () => {
    const named = (code: string) => Object.assign(new Error(code), { code });
    const refusal = () => Promise.reject(new BulkheadFullError('inside', 'It is full.'));
    const calls: Readonly<Record<string, () => unknown>> = {
      failed: () => Promise.reject(new Error('down')),
      'timed out by another hand': () => Promise.reject(named('TIMED_OUT')),
      refused: refusal,
      'not an answer': () => new TimedOutError('inside', 'It took too long.'),
    };
    for (const [what, fails] of Object.entries(calls)) {
      const world = learner({ quantile: 0.5, failureIfResult: (value) => value instanceof Error });
      await world.call(() => world.clock.sleep(30).then(fails));
      assert.equal(world.known(), 0, what);
    }
    const world = learner({ quantile: 0.5 });
    const caller = new AbortController();
    void world.clock.sleep(30).then(() => caller.abort());
    await world.call(() => new Promise(() => {}), caller.signal);
    assert.equal(world.known(), 0, 'the caller left');
  });

  test('learns from the hedge how long that took, and from the first that it took at least until then', async () => {
    const median = learner({ quantile: 0.5 });
    const longest = learner({ quantile: 0.999 });
    for (const world of [median, longest]) {
      await world.call(() => world.clock.sleep(10));
      await world.call(({ attempt }) => world.clock.sleep(attempt === 1 ? 900 : 40));
      assert.equal(world.known(), 3);
    }
    within(median.delayMs(), 40);
    within(longest.delayMs(), 51);
  });

  test('learns nothing from a hedge that failed, but from one that ran out of time', async () => {
    const failed = learner({ quantile: 0.999 });
    const timedOut = learner({ quantile: 0.999 }, [timeout({ limitMs: 30 })]);
    for (const world of [failed, timedOut]) {
      await world.call(() => world.clock.sleep(10));
      await world.call(async ({ attempt }) => {
        await world.clock.sleep(attempt === 1 || world === timedOut ? 100 : 20);
        if (attempt === 2) throw new Error('down');
      });
    }
    assert.deepEqual([failed.known(), timedOut.known()], [2, 3]);
    within(failed.delayMs(), 100);
    within(timedOut.delayMs(), 30);
  });

  test('learns no second time from a first attempt that has failed while a hedge goes on', async () => {
    const answered = learner({ quantile: 0.999 });
    const overdue = learner({ quantile: 0.999 }, [], [timeout({ limitMs: 300 })]);
    for (const world of [answered, overdue]) {
      await world.call(() => world.clock.sleep(10));
      await world.call(async ({ attempt }) => {
        if (attempt === 2 && world === overdue) return new Promise(() => {});
        await world.clock.sleep(attempt === 1 ? 15 : 40);
        if (attempt === 1) throw new Error('down');
        return undefined;
      });
    }
    assert.deepEqual([answered.known(), overdue.known()], [2, 1]);
    within(answered.delayMs(), 40);
    within(overdue.delayMs(), 10);
  });

  test('a swap keeps what was learned for the same quantile and window, and begins anew for others', async () => {
    const afterSwap = async (before: HedgeOptions, after: HedgeOptions) => {
      const clock = new VirtualClock();
      const p = pipeline('p', [hedge(before)], { clock, registry: undefined });
      await clock.run(() => p.execute(() => clock.sleep(100)));
      p.swap([hedge(after)]);
      return Math.round(p.inspect().policies[0]?.hedge?.delayMs ?? -1);
    };
    const quantile = { quantile: 0.5, minimumCalls: 1, windowMs: 10_000 };
    assert.deepEqual(
      [
        await afterSwap({ quantile }, { quantile: { ...quantile, maxDelayMs: 50 } }),
        await afterSwap({ quantile }, { quantile: { ...quantile, quantile: 0.9 } }),
        await afterSwap({ quantile }, { quantile: { ...quantile, windowMs: 20_000 } }),
        await afterSwap({ delayMs: 5 }, { quantile }),
        await afterSwap({ quantile }, { delayMs: 5 }),
      ],
      [50, Infinity, Infinity, Infinity, 5],
    );
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

/** A hedge that learns; `known` is from how many attempts it has learned. */
function learner(
  { quantile, ...options }: Omit<HedgeOptions, 'quantile'> & { readonly quantile: number },
  inside: readonly Policy[] = [],
  outside: readonly Policy[] = [],
) {
  const clock = new VirtualClock();
  const withMinimum = (minimumCalls: number) => [
    ...outside,
    hedge({ ...options, quantile: { quantile, minimumCalls } }),
    ...inside,
  ];
  const p = pipeline('p', withMinimum(1), { clock, registry: undefined });
  const delayMs = () => p.inspect().policies[outside.length]?.hedge?.delayMs ?? -1;
  const known = () => {
    let calls = 0;
    for (; delayMs() < Infinity; p.swap(withMinimum(calls + 1))) calls += 1;
    p.swap(withMinimum(1));
    return calls;
  };
  const call = (fn: CallFunction<unknown>, signal = new AbortController().signal) =>
    clock.run(() => p.execute(fn, { signal }).catch(() => {}));
  return { call, clock, delayMs, known };
}

/** Estimates are at most a tenth too long. */
function within(estimateMs: number, exactMs: number): void {
  assert.ok(estimateMs >= exactMs && estimateMs <= exactMs * 1.101, `${estimateMs} ms`);
}
