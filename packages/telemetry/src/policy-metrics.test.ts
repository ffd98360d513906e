import assert from 'node:assert/strict';
import { test } from 'node:test';
import { circuitBreaker, createRegistry, type PolicyEvent, pipeline } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';
import { createMetrics, type Metrics } from './metrics/metrics.ts';
import { policyMetrics } from './policy-metrics.ts';
import { parseExposition } from './testing/parse-exposition.ts';

const source = { pipeline: 'auth', policy: 'p', call: 1 };

test('every event finds its family', () => {
  const shown = afterHearing([
    { ...source, type: 'attempt', attempt: 1, outcome: 'failure', durationMs: 3 },
    { ...source, type: 'retry', attempt: 1, delayMs: 10 },
    { ...source, type: 'timeout', attempt: 2, limitMs: 5 },
    { ...source, type: 'attempt', attempt: 2, outcome: 'timeout', durationMs: 5 },
    { ...source, type: 'retry-stopped', attempts: 2, why: 'exhausted' },
    { ...source, type: 'late-result', outcome: 'success', lateByMs: 4 },
    { ...source, type: 'refused', code: 'CIRCUIT_OPEN' },
    { ...source, type: 'queued', waitedMs: 1_500, admitted: true, depth: 4 },
    { ...source, type: 'fallback', kind: 'default', step: 0, error: null },
    { ...source, type: 'circuit', from: 'closed', to: 'open', why: '' },
    { ...source, type: 'call', outcome: 'failure', attempts: 2, durationMs: 250, degraded: true },
  ]);

  const p = 'pipeline="auth",policy="p"';
  assert.deepEqual(shown, {
    'holdfast_calls_total{outcome="failure",pipeline="auth"}': 1,
    'holdfast_degraded_calls_total{pipeline="auth"}': 1,
    'holdfast_attempts_total{outcome="failure",pipeline="auth"}': 1,
    'holdfast_attempts_total{outcome="timeout",pipeline="auth"}': 1,
    [`holdfast_retries_total{${p}}`]: 1,
    [`holdfast_retries_stopped_total{${p},why="exhausted"}`]: 1,
    [`holdfast_timeouts_total{${p}}`]: 1,
    'holdfast_late_results_total{outcome="success",pipeline="auth"}': 1,
    [`holdfast_refusals_total{code="CIRCUIT_OPEN",${p}}`]: 1,
    [`holdfast_fallbacks_total{${p},step="0"}`]: 1,
    [`holdfast_circuit_changes_total{from="closed",${p},to="open"}`]: 1,
    [`holdfast_circuit_state{${p},state="open"}`]: 1,
    [`holdfast_queue_depth{${p}}`]: 4,
    'holdfast_attempts_per_call_sum{pipeline="auth"}': 2,
    'holdfast_attempts_per_call_count{pipeline="auth"}': 1,
    'holdfast_call_duration_seconds_sum{pipeline="auth"}': 0.25,
    'holdfast_call_duration_seconds_count{pipeline="auth"}': 1,
    [`holdfast_queue_wait_seconds_sum{${p}}`]: 1.5,
    [`holdfast_queue_wait_seconds_count{${p}}`]: 1,
  });
});

test('what a circuit that only observes would do is counted apart from what circuits do', async () => {
  const clock = new VirtualClock();
  const metrics = createMetrics();
  const registry = createRegistry();
  const breaker = circuitBreaker({ consecutiveFailures: 1 });
  const p = pipeline('auth', [breaker], { clock, registry, report: policyMetrics(metrics) });
  const fail = () => p.execute(() => Promise.reject(new Error('down'))).catch(() => {});
  const states = () =>
    Object.keys(shownBy(metrics)).filter((key) => key.startsWith('holdfast_circuit_'));

  await fail();
  registry.force('auth', 'observe', { forMs: 60_000 });
  const carriedOver = states();
  await fail();
  await fail();
  await clock.advance(10_000);
  await p.execute(async () => 'well');
  const watched = shownBy(metrics);
  registry.force('auth', 'closed');

  const c = 'pipeline="auth",policy="circuit"';
  assert.deepEqual(carriedOver, [
    `holdfast_circuit_changes_total{from="closed",${c},to="open"}`,
    `holdfast_circuit_changes_total{from="open",${c},to="observe"}`,
    `holdfast_circuit_observed_state{${c},state="open"}`,
    `holdfast_circuit_state{${c},state="observe"}`,
  ]);
  assert.deepEqual(
    Object.entries(watched).filter(([key]) => /would_refuse|observed/.test(key)),
    [
      [`holdfast_would_refuse_total{code="CIRCUIT_OPEN",${c}}`, 2],
      [`holdfast_circuit_observed_changes_total{from="open",${c},to="half-open"}`, 1],
      [`holdfast_circuit_observed_changes_total{from="half-open",${c},to="closed"}`, 1],
      [`holdfast_circuit_observed_state{${c},state="closed"}`, 1],
    ],
  );
  assert.deepEqual(
    states().filter((key) => key.includes('_state{')),
    [`holdfast_circuit_state{${c},state="closed"}`],
  );
});

test('observing circuits of more pipelines than there is room for share one series', () => {
  const shown = afterHearing(
    Array.from({ length: 600 }, (_, n) => ({
      type: 'would-refuse' as const,
      pipeline: `p${n}`,
      policy: 'circuit',
      call: n,
      code: 'CIRCUIT_OPEN' as const,
    })),
  );
  const rows = Object.keys(shown).filter((key) => key.startsWith('holdfast_would_refuse'));
  assert.deepEqual(
    [
      rows.length,
      shown[
        'holdfast_would_refuse_total{code="CIRCUIT_OPEN",pipeline="overflow",policy="circuit"}'
      ],
    ],
    [501, 100],
  );
});

/** The samples that are not 0, without buckets. */
function afterHearing(events: readonly PolicyEvent[]): Record<string, number> {
  const metrics = createMetrics();
  events.forEach(policyMetrics(metrics));
  return shownBy(metrics);
}

function shownBy(metrics: Metrics): Record<string, number> {
  const samples = Object.values(parseExposition(metrics.render())).flatMap((family) =>
    Object.entries(family.samples),
  );
  return Object.fromEntries(samples.filter(([key, n]) => n !== 0 && !key.includes('_bucket{')));
}
