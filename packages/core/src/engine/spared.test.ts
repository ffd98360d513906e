import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { hedge } from '../hedge/hedge.ts';
import { pipeline } from '../pipeline.ts';
import { rateLimit } from '../rate-limit/rate-limit.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { timeout } from '../timeout/timeout.ts';

describe('a call that ends before it begins', () => {
  test('takes nothing from a rate, whoever ended it', async () => {
    const clock = new VirtualClock();
    const p = pipeline('p', [rateLimit({ limit: 1 })], { clock, registry: undefined });
    const ended = [
      { signal: AbortSignal.abort('gone') },
      { deadlineMs: 0 },
      { deadlineMs: -1 },
      { deadlineMs: Number.NaN },
      { deadlineMs: '5' as unknown as number },
    ];
    const outcomes = [];
    for (const options of ended) {
      outcomes.push(await p.execute(() => 'ran', options).catch(String));
    }
    assert.deepEqual(outcomes, [
      'gone',
      'DeadlineExceededError: The caller of "p" gave it 0 ms, and they are over.',
      'DeadlineExceededError: The caller of "p" gave it -1 ms, and they are over.',
      'RangeError: deadlineMs must be a number of milliseconds, not NaN.',
      'RangeError: deadlineMs must be a number of milliseconds, not 5.',
    ]);
    assert.equal(await p.execute(() => 'ran'), 'ran');
  });
});

describe('an attempt that its caller ends while it begins', () => {
  test('is aborted and gives its place back, first or hedge', async () => {
    for (const which of [1, 2]) {
      const clock = new VirtualClock();
      const p = pipeline('p', [hedge({ delayMs: 10 }), bulkhead({ limit: 5 })], {
        clock,
        registry: undefined,
      });
      const caller = new AbortController();
      const signals: AbortSignal[] = [];
      const outcome = await clock.run(() =>
        p
          .execute<never>(
            ({ attempt, signal }) => {
              signals.push(signal);
              if (attempt === which) caller.abort('gone');
              return new Promise(() => {});
            },
            { signal: caller.signal },
          )
          .catch((reason: unknown) => reason),
      );
      assert.deepEqual(
        [outcome, signals.map(({ aborted }) => aborted), p.inspect().policies[1]?.bulkhead],
        ['gone', Array(which).fill(true), { active: 0, queued: 0 }],
      );
    }
  });
});

describe('the time that a call has left', () => {
  test('is the least of what all around it leave, also for a hedge', async () => {
    const clock = new VirtualClock();
    const policies = [timeout({ name: 'whole', limitMs: 500 }), hedge({ delayMs: 100 })];
    const p = pipeline('p', [...policies, timeout({ limitMs: 450 })], {
      clock,
      registry: undefined,
    });
    const left: number[][] = [];
    for (const deadlineMs of [300, 2_000]) {
      const seen: number[] = [];
      left.push(seen);
      await clock
        .run(() =>
          p.execute(
            ({ remainingMs }) => {
              seen.push(remainingMs);
              return new Promise(() => {});
            },
            { deadlineMs },
          ),
        )
        .catch(() => {});
    }
    assert.deepEqual(left, [
      [300, 200],
      [450, 400],
    ]);
  });

  test('is none once the attempt has ended, and without end where nothing limits it', async () => {
    const p = pipeline('p', [], { registry: undefined });
    const seen: number[] = [];
    const call = await p.execute((own) => {
      seen.push(own.remainingMs);
      return { own };
    });
    assert.deepEqual([seen, call.own.remainingMs], [[Infinity], 0]);
  });
});
