import { SECONDS_BUCKETS } from './metrics/buckets.ts';
import type { Metrics } from './metrics/metrics.ts';

/** Bounds for attempts per call: 0 is a call refused before its first. */
const ATTEMPT_BUCKETS = [0, 1, 2, 3, 4, 5, 7, 10, 20, 50, 100];

export type PolicyFamilies = ReturnType<typeof policyFamilies>;

/** Registers the `holdfast_*` families of what policies do. */
export function policyFamilies(metrics: Metrics) {
  const counter = (name: string, help: string, ...labels: readonly string[]) =>
    metrics.counter(`holdfast_${name}`, help, ['pipeline', ...labels]);
  return {
    calls: counter('calls_total', 'Calls that have ended, by outcome.', 'outcome'),
    degraded: counter('degraded_calls_total', 'Calls that a fallback answered.'),
    attempts: counter('attempts_total', 'Attempts that have ended, by outcome.', 'outcome'),
    retries: counter('retries_total', 'Failed attempts that another followed.', 'policy'),
    stopped: counter(
      'retries_stopped_total',
      'Failed calls that were not tried again, by reason.',
      'policy',
      'why',
    ),
    timeouts: counter('timeouts_total', 'Attempts cut short by a time-out.', 'policy'),
    late: counter('late_results_total', 'Results that came after their time-out.', 'outcome'),
    refusals: counter('refusals_total', 'Calls a policy refused, by error code.', 'code', 'policy'),
    fallbacks: counter(
      'fallbacks_total',
      'Answers given by a fallback, by step.',
      'policy',
      'step',
    ),
    hedges: counter('hedges_total', 'Attempts sent beside those under way.', 'policy'),
    budgets: counter(
      'budget_exhausted_total',
      'Retries and hedges not made because their budget was used up.',
      'budget',
    ),
    caches: counter('cache_calls_total', 'Calls that a cache saw, by result.', 'policy', 'result'),
    faults: counter('faults_total', 'Faults put in on purpose.', 'fault', 'policy'),
    storeFailures: counter(
      'store_failures_total',
      'Decisions made alone because a shared store did not answer.',
      'policy',
    ),
    limits: metrics.gauge('holdfast_adaptive_limit', 'What an adaptive limit stands at.', [
      'pipeline',
      'policy',
    ]),
    changes: counter('circuit_changes_total', 'Changes of circuits.', 'from', 'policy', 'to'),
    wouldRefuse: counter(
      'would_refuse_total',
      'Calls that went on although a policy that only observes would have refused them, by error code.',
      'code',
      'policy',
    ),
    observedChanges: counter(
      'circuit_observed_changes_total',
      'Changes that circuits which only observe would have made.',
      'from',
      'policy',
      'to',
    ),
    observed: metrics.gauge(
      'holdfast_circuit_observed_state',
      'What a circuit that only observes would be: the series of that state is 1, the others 0; all 0 where it does not observe.',
      ['pipeline', 'policy', 'state'],
    ),
    circuits: metrics.gauge(
      'holdfast_circuit_state',
      'The state of a circuit: the series of the active state is 1, the others 0.',
      ['pipeline', 'policy', 'state'],
    ),
    depth: metrics.gauge('holdfast_queue_depth', 'Calls waiting in a bulkhead.', [
      'pipeline',
      'policy',
    ]),
    attemptsPerCall: metrics.histogram(
      'holdfast_attempts_per_call',
      'Attempts a call took; sum divided by count is the amplification by retries.',
      ['pipeline'],
      ATTEMPT_BUCKETS,
    ),
    duration: metrics.histogram(
      'holdfast_call_duration_seconds',
      'Time from the start of a call to its end, retries and waits included.',
      ['pipeline'],
      SECONDS_BUCKETS,
    ),
    wait: metrics.histogram(
      'holdfast_queue_wait_seconds',
      'Time a call waited in a bulkhead.',
      ['pipeline', 'policy'],
      SECONDS_BUCKETS,
    ),
  };
}
