import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CircuitState, PolicyEvent } from '@holdfast/core';
import { createMetrics } from '../metrics/metrics.ts';
import { parseExposition } from '../testing/parse-exposition.ts';
import { resiliencyMetrics } from './resiliency-metrics.ts';

const all = { timeout: true, retry: true, circuitBreaker: true };

describe('resiliency metrics', () => {
  test('each kind of policy counts one per request, the breaker with its state', () => {
    const { metrics, shown } = setUp();
    metrics.loaded();
    metrics.applied(all, 'outbound', 'app_b');
    metrics.applied({ ...all, timeout: false }, 'outbound', 'app_b');
    metrics.applied(all, 'outbound', 'app_b', 'open');

    assert.deepEqual(shown('dapr_resiliency_loaded'), { 'app_id="a",name="r",namespace="ns"': 1 });
    assert.deepEqual(shown('dapr_resiliency_count'), {
      [labels('timeout')]: 2,
      [labels('retry')]: 3,
      [labels('circuitbreaker', 'closed')]: 2,
      [labels('circuitbreaker', 'open')]: 1,
    });
  });

  test('a request activates retry and timeout at most once, whichever attempts they were', () => {
    const { hear, shown } = setUp();
    // Call 1 times out in its attempts 2 and 3, while call 2 does in its first.
    hear(retried(1, 1), timedOut(2, 1), retried(2, 1), timedOut(1, 2), retried(1, 2));
    hear(timedOut(1, 3), ended(1), ended(2));

    assert.deepEqual(shown('dapr_resiliency_activations_total'), {
      [labels('retry')]: 2,
      [labels('timeout')]: 2,
    });
  });

  test('a call that lasts is remembered while ten thousand others time out and end', () => {
    const { hear, shown } = setUp();
    hear(timedOut(1, 1));
    for (let call = 2; call <= 10_001; call += 1) hear(timedOut(call, 1), ended(call));
    hear(timedOut(1, 2));

    assert.deepEqual(shown('dapr_resiliency_activations_total'), { [labels('timeout')]: 10_001 });
  });

  test('a circuit is activated once per change, but not by becoming half-open', () => {
    const { hear, shown } = setUp();
    hear(changed('b:x', 'closed', 'open'), changed('b:x', 'open', 'half-open'));
    hear(changed('b:x', 'half-open', 'open'), changed('b:x', 'open', 'half-open'));
    hear(changed('b:x', 'half-open', 'closed'));
    // To Dapr's words nothing changes when a closed circuit is disabled by hand.
    hear(changed('b:x', 'closed', 'disabled'), changed('b:x', 'disabled', 'closed'));

    assert.deepEqual(shown('dapr_resiliency_activations_total'), {
      [labels('circuitbreaker', 'open')]: 2,
      [labels('circuitbreaker', 'closed')]: 1,
    });
  });

  test('the gauge is not left half-open after a recovery', () => {
    const { hear, state } = setUp();
    const states = [['closed', 'open'] as const, ['open', 'half-open'] as const].map(
      ([from, to]) => {
        hear(changed('b:x', from, to));
        return state();
      },
    );
    hear(changed('b:x', 'half-open', 'closed'));

    assert.deepEqual([...states, state()], ['open', 'half-open', 'closed']);
  });

  test('of several methods the worst state wins, until none is in it', () => {
    const { metrics, hear, state } = setUp();
    const seen: string[] = [];
    const see = (...events: PolicyEvent[]) => {
      hear(...events);
      seen.push(state());
    };
    see(changed('b:x', 'closed', 'open'));
    see(changed('b:y', 'closed', 'open'), changed('b:x', 'open', 'half-open'));
    see(changed('b:x', 'half-open', 'closed'));
    see(changed('b:y', 'open', 'half-open'));
    metrics.forget('outbound', 'app_b', 'b:y');
    seen.push(state());
    see(changed('b:x', 'closed', 'forced-open'));
    see(changed('b:x', 'forced-open', 'disabled'));

    assert.deepEqual(seen, ['open', 'open', 'open', 'half-open', 'closed', 'open', 'closed']);
  });

  test('targets beyond the limit share one', () => {
    const { metrics, shown } = setUp({ maxTargets: 2 });
    for (const target of ['app_b', 'app_c', 'app_d', 'app_e']) {
      metrics.applied({ timeout: false, retry: true, circuitBreaker: false }, 'outbound', target);
    }

    assert.deepEqual(shown('dapr_resiliency_count'), {
      [labels('retry', '', 'app_b')]: 1,
      [labels('retry', '', 'app_c')]: 1,
      [labels('retry', '', 'overflow')]: 2,
    });
  });
});

function setUp(more: { maxTargets?: number } = {}) {
  const registry = createMetrics();
  const metrics = resiliencyMetrics(registry, { appId: 'a', name: 'r', namespace: 'ns', ...more });
  const listener = metrics.listener('outbound', 'app_b');
  const shown = (family: string) => {
    const samples = Object.entries(parseExposition(registry.render())[family]!.samples);
    return Object.fromEntries(samples.map(([key, n]) => [key.slice(family.length + 1, -1), n]));
  };
  return {
    metrics,
    shown,
    hear: (...events: readonly PolicyEvent[]) => events.forEach(listener),
    /** The one status whose series is 1; fails when there are none or several. */
    state() {
      const active = Object.entries(shown('dapr_resiliency_cb_state')).filter(([, n]) => n === 1);
      assert.equal(active.length, 1);
      return /status="([^"]+)"/.exec(active[0]![0])![1]!;
    },
  };
}

function labels(policy: string, status = '', target = 'app_b'): string {
  return `app_id="a",flow_direction="outbound",name="r",namespace="ns",policy="${policy}",status="${status}",target="${target}"`;
}

const from = (call: number, pipeline = 'b:x', policy = 'p') => ({ pipeline, policy, call });
const retried = (call: number, attempt: number): PolicyEvent => ({
  ...from(call),
  type: 'retry',
  attempt,
  delayMs: 1,
});
const timedOut = (call: number, attempt: number): PolicyEvent => ({
  ...from(call),
  type: 'timeout',
  attempt,
  limitMs: 1,
});
const ended = (call: number): PolicyEvent => ({
  ...from(call),
  type: 'call',
  outcome: 'failure',
  attempts: 3,
  durationMs: 1,
  degraded: false,
});
const changed = (pipeline: string, old: CircuitState, to: CircuitState): PolicyEvent => ({
  ...from(0, pipeline, 'circuit'),
  type: 'circuit',
  from: old,
  to,
  why: '',
});
