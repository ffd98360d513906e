import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pipeline } from '../pipeline.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { circuitBreaker } from './breaker.ts';
import type { CircuitBreakerOptions } from './options.ts';

describe('new rules for a circuit that lives on', () => {
  test('begin another interval for its counts, where that is another', async () => {
    const w = setUp({ clearIntervalMs: 0 });
    await w.clock.advance(5_000);
    await w.fail(2);
    w.swap({ clearIntervalMs: 1_000 });
    await w.clock.advance(600);
    w.swap({ clearIntervalMs: 1_000, openMs: 70 });
    await w.clock.advance(399);
    const before = w.circuit().counts.totalFailures;
    await w.clock.advance(1);
    assert.deepEqual([before, w.circuit().counts.totalFailures], [2, 0]);
    await w.fail(1);
    w.swap({ clearIntervalMs: 0 });
    await w.clock.advance(100_000);
    assert.equal(w.circuit().counts.totalFailures, 1);
  });

  test('stretch the time that it is open, and what is left of it', async () => {
    const w = setUp({ openMs: 1_000, consecutiveFailures: 2 });
    await w.fail(2);
    await w.clock.advance(400);
    const left = [w.circuit().retryAfterMs];
    for (const openMs of [1_000, 2_000, 500]) {
      w.swap({ openMs, consecutiveFailures: 2 });
      left.push(w.circuit().retryAfterMs);
    }
    assert.deepEqual(left, [600, 600, 1_600, 100]);
    await w.clock.advance(100);
    assert.equal(w.circuit().state, 'half-open');
  });

  test('keep the windows that look back as far as before, and begin the others anew', async () => {
    const last = { ratio: 0.9, minimumCalls: 4, windowCalls: 10 };
    const late = { ratio: 0.9, minimumCalls: 4, windowMs: 1_000 };
    const slow = { ...late, slowCallMs: 20 };
    const seen: Record<string, string[]> = {};
    const rules: Record<string, readonly CircuitBreakerOptions[]> = {
      'of some time': [
        { failureRatio: late },
        { failureRatio: { ...late, ratio: 0.8 } },
        { failureRatio: { ...late, windowMs: 2_000 } },
        { failureRatio: last },
      ],
      'of so many calls': [
        { failureRatio: last },
        { failureRatio: { ...last, minimumCalls: 3 } },
        { failureRatio: { ...last, windowCalls: 20 } },
        { failureRatio: late },
      ],
      'of slow calls': [
        { slowCalls: slow },
        { slowCalls: { ...slow, ratio: 0.8 } },
        { slowCalls: { ...slow, windowMs: 2_000 } },
        { failureRatio: late },
      ],
      'of both': [
        { failureRatio: late, slowCalls: slow },
        { failureRatio: late },
        { slowCalls: slow },
        { failureRatio: { ...late, windowMs: 2_000 }, slowCalls: { ...slow, windowMs: 2_000 } },
      ],
    };
    for (const [which, [first, ...others]] of Object.entries(rules)) {
      seen[which] = [];
      for (const other of others) {
        const w = setUp({ consecutiveFailures: false, ...first });
        await w.fail(3, 25);
        w.swap({ consecutiveFailures: false, ...other });
        await w.fail(1, 25);
        seen[which].push(w.circuit().state);
      }
    }
    assert.deepEqual(seen, {
      'of some time': ['open', 'closed', 'closed'],
      'of so many calls': ['open', 'closed', 'closed'],
      'of slow calls': ['open', 'closed', 'closed'],
      'of both': ['open', 'open', 'closed'],
    });
  });
});

function setUp(options: CircuitBreakerOptions) {
  const clock = new VirtualClock();
  const p = pipeline('p', [circuitBreaker(options)], { clock });
  return {
    clock,
    async fail(calls: number, tookMs = 0) {
      const failing = async () => {
        await clock.sleep(tookMs);
        throw new Error('down');
      };
      for (let n = 0; n < calls; n += 1) await clock.run(() => p.execute(failing).catch(() => {}));
    },
    swap: (rules: CircuitBreakerOptions) => p.swap([circuitBreaker(rules)]),
    circuit: () => p.inspect().policies[0]!.circuit!,
  };
}
