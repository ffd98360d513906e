import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { retry } from '../retry/retry.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { timeout } from '../timeout/timeout.ts';
import type { Operation } from './operation.ts';
import { HELD, type Stage, type StageWorld } from './stage.ts';

/** The rooms for the policies still to come: a cache answers without a call, a hedge makes two. */
describe('a stage', () => {
  test('can answer on the way down, and everything inside it is spared', async () => {
    let calls = 0;
    const hit = stageOf({ enter: (op) => op.answer('cached', false) });
    const p = pipeline('p', [retry(), hit, timeout({ limitMs: 50 })], {
      clock: new VirtualClock(),
    });
    assert.deepEqual([await p.execute(() => (calls += 1)), calls], ['cached', 0]);
  });

  test('can put another outcome in place on the way up', async () => {
    const doubled = stageOf({ leave: (op, _i, value) => op.answer(Number(value) * 2, false) });
    const p = pipeline('p', [doubled, bulkhead({ limit: 1 })], { clock: new VirtualClock() });
    assert.equal(await p.execute(async () => 21), 42);
  });

  test('can hold an operation on the way down and send it on later', async () => {
    const clock = new VirtualClock();
    const slowly = stageOf({
      enter(op, index) {
        op.keepContext();
        clock.timer(70, () => op.resume(index));
        return HELD;
      },
    });
    const p = pipeline('p', [slowly, timeout({ limitMs: 50 })], { clock });
    assert.equal(await clock.run(() => p.execute(async () => clock.now())), 70);
  });

  test('can start a second attempt beside the first and cancel the loser', async () => {
    const clock = new VirtualClock();
    const aborted: number[] = [];
    const policies = [hedge(30), bulkhead({ limit: 2 }), timeout({ limitMs: 500 })];
    const p = pipeline('p', policies, { clock });
    let calls = 0;
    const winner = await clock.run(() =>
      p.execute(async ({ signal }) => {
        calls += 1;
        const mine = calls;
        signal.addEventListener('abort', () => aborted.push(mine));
        await clock.sleep(mine === 1 ? 200 : 20);
        return mine;
      }),
    );
    assert.deepEqual([winner, clock.now(), aborted], [2, 50, [1]]);
    assert.deepEqual(p.inspect().policies[1]?.bulkhead, { active: 0, queued: 0 });
    await clock.advance(1_000);
    assert.deepEqual([clock.pendingTimers, p.inspect().inFlight], [0, 0]);
  });
});

/** A policy of the test's own, of which only what is given differs from doing nothing. */
function stageOf(hooks: Partial<Stage>): Policy {
  const policy: Policy = {
    kind: 'retry',
    name: 'own',
    options: {},
    stage: () => ({
      policy,
      enter: () => undefined,
      leave: () => undefined,
      abandon: () => {},
      forecast: () => ({ words: 'is a test.' }),
      ...hooks,
    }),
  };
  return policy;
}

/** The smallest hedge: another attempt after `delayMs`, the first to end wins. */
function hedge(delayMs: number): Policy {
  const begin = ({ clock }: StageWorld, op: Operation, index: number) => {
    const twins = new Set<Operation>();
    let over = false;
    const start = () => {
      const twin: Operation = op.fork(index, (value, failed) => {
        twins.delete(twin);
        if (over) return;
        over = true;
        timer.cancel();
        for (const loser of twins) loser.cut(index, new Error('lost'), 'cancelled');
        op.settleHeld(index, value, failed);
      });
      twins.add(twin);
    };
    const timer = clock.timer(delayMs, start);
    start();
  };
  const policy: Policy = {
    kind: 'retry',
    name: 'hedge',
    options: {},
    stage: (world) => ({
      policy,
      enter(op, index) {
        begin(world, op, index);
        return HELD;
      },
      leave: () => undefined,
      abandon: () => {},
      forecast: () => ({ words: 'is a test.' }),
    }),
  };
  return policy;
}
