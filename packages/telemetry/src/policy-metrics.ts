import type { CircuitState, Listener, Outcome, OwnCircuitState, PolicyEvent } from '@holdfast/core';
import { BoundedCache } from './bounded-cache.ts';
import { SECONDS_BUCKETS } from './metrics/buckets.ts';
import { type Family, OVERFLOW } from './metrics/family.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { Counter, Gauge, Histogram } from './metrics/series.ts';

export interface PolicyMetricsOptions {
  /** Pipelines told apart; the rest share one named `overflow`. @default 500 (1 …) */
  readonly maxPipelines?: number;
}

/**
 * Registers the `holdfast_*` families of what policies do and returns the
 * listener that fills them: give it to `registry.listen` or to a pipeline's
 * `report`.
 *
 * How much retries multiply the load (amplification) is the mean of
 * `holdfast_attempts_per_call`: its sum divided by its count.
 */
export function policyMetrics(metrics: Metrics, given: PolicyMetricsOptions = {}): Listener {
  const families = register(metrics);
  const pipelines = new BoundedCache(
    given.maxPipelines ?? 500,
    OVERFLOW,
    (name: string) => new PipelineSeries(families, name),
  );
  return (event) => pipelines.get(event.pipeline).hear(event);
}

/** Bounds for attempts per call: 0 is a call refused before its first. */
const ATTEMPT_BUCKETS = [0, 1, 2, 3, 4, 5, 7, 10, 20, 50, 100];

const CIRCUIT_STATES: readonly CircuitState[] = [
  'closed',
  'open',
  'half-open',
  'forced-open',
  'forced-closed',
  'disabled',
  'observe',
];

const OWN_CIRCUIT_STATES: readonly OwnCircuitState[] = ['closed', 'open', 'half-open'];

const isOwn = (state: CircuitState): state is OwnCircuitState =>
  OWN_CIRCUIT_STATES.some((own) => own === state);

type Families = ReturnType<typeof register>;

function register(metrics: Metrics) {
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

/** One pipeline's series. Those every call touches are kept; those of trouble are looked up. */
class PipelineSeries {
  readonly #name: string;
  readonly #families: Families;
  readonly #calls: BoundedCache<Outcome, Counter>;
  readonly #attempts: BoundedCache<Outcome, Counter>;
  readonly #duration: Histogram;
  readonly #attemptsPerCall: Histogram;
  readonly #queues: BoundedCache<string, { readonly wait: Histogram; readonly depth: Gauge }>;

  constructor(families: Families, name: string) {
    const byOutcome = (family: Family<Counter>) =>
      new BoundedCache<Outcome, Counter>(5, 'failure', (o) => family.labels(name, o));
    this.#name = name;
    this.#families = families;
    this.#calls = byOutcome(families.calls);
    this.#attempts = byOutcome(families.attempts);
    this.#duration = families.duration.labels(name);
    this.#attemptsPerCall = families.attemptsPerCall.labels(name);
    this.#queues = new BoundedCache(16, OVERFLOW, (policy) => ({
      wait: families.wait.labels(name, policy),
      depth: families.depth.labels(name, policy),
    }));
  }

  hear(event: PolicyEvent): void {
    const name = this.#name;
    const { policy } = event;
    switch (event.type) {
      case 'attempt':
        this.#attempts.get(event.outcome).inc();
        return;
      case 'call':
        this.#calls.get(event.outcome).inc();
        this.#duration.observe(event.durationMs / 1_000);
        this.#attemptsPerCall.observe(event.attempts);
        if (event.degraded) this.#families.degraded.labels(name).inc();
        return;
      case 'queued': {
        const queue = this.#queues.get(policy);
        queue.wait.observe(event.waitedMs / 1_000);
        queue.depth.set(event.depth);
        return;
      }
      case 'retry':
        this.#families.retries.labels(name, policy).inc();
        return;
      case 'retry-stopped':
        this.#families.stopped.labels(name, policy, event.why).inc();
        return;
      case 'timeout':
        this.#families.timeouts.labels(name, policy).inc();
        return;
      case 'late-result':
        this.#families.late.labels(name, event.outcome).inc();
        return;
      case 'refused':
        this.#families.refusals.labels(name, event.code, policy).inc();
        return;
      case 'fallback':
        this.#families.fallbacks.labels(name, policy, String(event.step)).inc();
        return;
      case 'hedge':
        this.#families.hedges.labels(name, policy).inc();
        return;
      case 'budget-exhausted':
        this.#families.budgets.labels(name, event.budget).inc();
        return;
      case 'cache':
        this.#families.caches.labels(name, policy, event.result).inc();
        return;
      case 'limit':
        this.#families.limits.labels(name, policy).set(event.to);
        return;
      case 'fault':
        this.#families.faults.labels(name, event.fault, policy).inc();
        return;
      case 'store-failed':
        this.#families.storeFailures.labels(name, policy).inc();
        return;
      case 'would-refuse':
        this.#families.wouldRefuse.labels(name, event.code, policy).inc();
        return;
      case 'circuit-observed':
        this.#families.observedChanges.labels(name, event.from, policy, event.to).inc();
        this.#showObserved(policy, event.to);
        return;
      case 'circuit':
        this.#families.changes.labels(name, event.from, policy, event.to).inc();
        this.#showCircuit(policy, event.to);
        // It goes on watching from where it was; from a forced state, from closed.
        if (event.to === 'observe')
          this.#showObserved(policy, isOwn(event.from) ? event.from : 'closed');
        else if (event.from === 'observe') this.#showObserved(policy, undefined);
        return;
    }
  }

  #showObserved(policy: string, state: OwnCircuitState | undefined): void {
    for (const each of OWN_CIRCUIT_STATES) {
      this.#families.observed.labels(this.#name, policy, each).set(each === state ? 1 : 0);
    }
  }

  #showCircuit(policy: string, state: CircuitState): void {
    for (const each of CIRCUIT_STATES) {
      this.#families.circuits.labels(this.#name, policy, each).set(each === state ? 1 : 0);
    }
  }
}
