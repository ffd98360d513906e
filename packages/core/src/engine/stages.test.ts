import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { retry } from '../retry/retry.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { timeout } from '../timeout/timeout.ts';
import { HELD, type Stage } from './stage.ts';

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
