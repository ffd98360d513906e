import type { CircuitState, Listener, Outcome, OwnCircuitState, PolicyEvent } from '@holdfast/core';
import { BoundedCache } from './bounded-cache.ts';
import { type Family, OVERFLOW } from './metrics/family.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { Counter, Gauge, Histogram } from './metrics/series.ts';
import { type PolicyFamilies, policyFamilies } from './policy-families.ts';

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
  const families = policyFamilies(metrics);
  const pipelines = new BoundedCache(
    given.maxPipelines ?? 500,
    OVERFLOW,
    (name: string) => new PipelineSeries(families, name),
  );
  return (event) => pipelines.get(event.pipeline).hear(event);
}

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

/** One pipeline's series. Those every call touches are kept; those of trouble are looked up. */
class PipelineSeries {
  readonly #name: string;
  readonly #families: PolicyFamilies;
  readonly #calls: BoundedCache<Outcome, Counter>;
  readonly #attempts: BoundedCache<Outcome, Counter>;
  readonly #duration: Histogram;
  readonly #attemptsPerCall: Histogram;
  readonly #queues: BoundedCache<string, { readonly wait: Histogram; readonly depth: Gauge }>;

  constructor(families: PolicyFamilies, name: string) {
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
