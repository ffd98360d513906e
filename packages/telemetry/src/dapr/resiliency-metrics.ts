import type { CircuitState, Listener, PolicyEvent } from '@holdfast/core';
import { BoundedCache } from '../bounded-cache.ts';
import { OVERFLOW } from '../metrics/family.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type Counter, type Gauge, onceCounted } from '../metrics/series.ts';
import { CircuitBoard, type DaprCircuitStatus, daprStatus } from './circuit-board.ts';

/** Whose metrics they are: labels that every series carries. */
export interface ResiliencyMetricsOptions {
  readonly appId: string;
  /** `metadata.name` of the Resiliency document loaded last. */
  readonly name: string;
  /** `metadata.namespace` of it. @default '' as Dapr's */
  readonly namespace?: string;
  /** Targets told apart; the others share one whose name is `overflow`. @default 200 (1 …) */
  readonly maxTargets?: number;
}

export type Flow = 'outbound' | 'inbound';

/** Which kinds of policy a request passes. */
export interface AppliedPolicies {
  readonly timeout: boolean;
  readonly retry: boolean;
  readonly circuitBreaker: boolean;
}

/** Dapr's `dapr_resiliency_*` families, with its labels and its way of counting. */
export interface ResiliencyMetrics {
  /** A Resiliency document has been loaded, or loaded again. @default the last one */
  loaded(document?: { readonly name: string; readonly namespace: string }): void;

  /** The series of `target` (`app_<id>`, `Statestore_<name>`, …): keep it, and a request looks nothing up. */
  target(flow: Flow, target: string): TargetMetrics;

  // The same by name, for where a few more nanoseconds do not matter.
  applied(policies: AppliedPolicies, flow: Flow, target: string, circuit?: CircuitState): void;
  listener(flow: Flow, target: string): Listener;
  circuit(flow: Flow, target: string, state: CircuitState, circuit?: string): void;
  forget(flow: Flow, target: string, circuit: string): void;
}

/** What is counted about one target. */
export interface TargetMetrics {
  /**
   * A request meets the policies of this target. Call it once per request,
   * before the call: each applied kind counts one. `circuit` is the state of the
   * circuit it will pass.
   *
   * @default the worst of the target's circuits
   */
  applied(policies: AppliedPolicies, circuit?: CircuitState): void;

  /** Hears the target's pipelines and counts what fires; one and the same for all its methods. */
  readonly listener: Listener;

  /**
   * Says the state of one circuit; `listener` does so by itself. `circuit`, the
   * name of its pipeline, tells several apart (one per method); the gauge shows
   * the worst: open before half-open before closed.
   */
  circuit(state: CircuitState, circuit?: string): void;

  /** Takes the circuits of a pipeline off the gauge: it was disposed of. */
  forget(circuit: string): void;
}

type PolicyLabel = 'timeout' | 'retry' | 'circuitbreaker';

const LABELS = ['app_id', 'flow_direction', 'name', 'namespace', 'policy', 'status', 'target'];
const STATUSES: readonly DaprCircuitStatus[] = ['closed', 'half-open', 'open', 'unknown'];

/**
 * Registers the families. Where Dapr leaves the circuit's gauge as it was until
 * the next request (its issue 10113), this one follows every change at once.
 */
export function resiliencyMetrics(
  metrics: Metrics,
  { appId, name, namespace = '', maxTargets = 200 }: ResiliencyMetricsOptions,
): ResiliencyMetrics {
  const loads = metrics.counter('dapr_resiliency_loaded', 'Number of resiliency policies loaded.', [
    'app_id',
    'name',
    'namespace',
  ]);
  const counts = metrics.counter(
    'dapr_resiliency_count',
    'Number of times a resiliency policy has been applied.',
    LABELS,
  );
  const activations = metrics.counter(
    'dapr_resiliency_activations_total',
    'Number of times a resiliency policy has been activated in a building block after a failure or after a state change.',
    LABELS,
  );
  const states = metrics.gauge(
    'dapr_resiliency_cb_state',
    'A resiliency policy’s current circuit breaker state: the series of the active status is 1, the others 0.',
    LABELS,
  );

  const targetOf = (flow: Flow) => (target: string) => {
    const labels = (policy: PolicyLabel, status = '') =>
      [appId, flow, name, namespace, policy, status, target] as const;
    return new Target({
      applied: (policy, status) => counts.labels(...labels(policy, status)),
      activated: (policy, status) => activations.labels(...labels(policy, status)),
      state: (status) => states.labels(...labels('circuitbreaker', status)),
    });
  };
  const outbound = new BoundedCache(maxTargets, OVERFLOW, targetOf('outbound'));
  const inbound = new BoundedCache(maxTargets, OVERFLOW, targetOf('inbound'));
  const target = (flow: Flow, name: string) => (flow === 'outbound' ? outbound : inbound).get(name);

  return {
    loaded: (document = { name, namespace }) =>
      loads.labels(appId, document.name, document.namespace).inc(),
    target,
    applied: (policies, flow, name, circuit) => target(flow, name).applied(policies, circuit),
    listener: (flow, name) => target(flow, name).listener,
    circuit: (flow, name, state, circuit) => target(flow, name).circuit(state, circuit),
    forget: (flow, name, circuit) => target(flow, name).forget(circuit),
  };
}

/** Where a target finds its series; each is asked for once and kept. */
interface TargetSeries {
  applied(policy: PolicyLabel, status?: string): Counter;
  activated(policy: PolicyLabel, status?: string): Counter;
  state(status: DaprCircuitStatus): Gauge;
}

const MAX_CALLS_IN_FLIGHT = 10_000;

class Target implements TargetMetrics {
  readonly listener: Listener = (event) => this.#hear(event);
  readonly #series: TargetSeries;
  readonly #board = new CircuitBoard();
  /** Calls in flight that have had a time-out: however many follow, a request counts one. */
  readonly #timedOut = new Set<number>();
  readonly #timeouts: Counter;
  readonly #retries: Counter;
  readonly #breakers: BoundedCache<DaprCircuitStatus, Counter>;
  #gauges: ReadonlyMap<DaprCircuitStatus, Gauge> | undefined;

  constructor(series: TargetSeries) {
    this.#series = series;
    this.#timeouts = onceCounted(() => series.applied('timeout'));
    this.#retries = onceCounted(() => series.applied('retry'));
    this.#breakers = new BoundedCache(4, 'unknown', (status) =>
      series.applied('circuitbreaker', status),
    );
  }

  applied({ timeout, retry, circuitBreaker }: AppliedPolicies, circuit?: CircuitState): void {
    if (timeout) this.#timeouts.inc();
    if (retry) this.#retries.inc();
    if (!circuitBreaker) return;
    if (this.#gauges === undefined) this.#showGauge();
    this.#breakers.get(circuit === undefined ? this.#board.worst() : daprStatus(circuit)).inc();
  }

  #hear(event: PolicyEvent): void {
    switch (event.type) {
      case 'retry':
        // Dapr's notice is good for one shot per request: its first failed attempt that is tried again.
        if (event.attempt === 1) this.#series.activated('retry').inc();
        return;
      case 'timeout':
        this.#hearTimeout(event.call);
        return;
      case 'circuit':
        this.#changed(event);
        return;
      case 'call':
        if (this.#timedOut.size > 0) this.#timedOut.delete(event.call);
        return;
      case 'attempt':
      case 'retry-stopped':
      case 'late-result':
      case 'refused':
      case 'queued':
      case 'fallback':
        return;
    }
  }

  circuit(state: CircuitState, pipeline = '', policy = ''): void {
    this.#board.set(pipeline, policy, daprStatus(state));
    this.#showGauge();
  }

  forget(circuit: string): void {
    this.#board.remove(circuit);
    this.#showGauge();
  }

  #hearTimeout(call: number): void {
    if (this.#timedOut.has(call)) return;
    // A call always ends and is taken out then; should a listener miss ends, this stays bounded.
    if (this.#timedOut.size >= MAX_CALLS_IN_FLIGHT) this.#timedOut.clear();
    this.#timedOut.add(call);
    this.#series.activated('timeout').inc();
  }

  #changed({ pipeline, policy, from, to }: Extract<PolicyEvent, { type: 'circuit' }>): void {
    this.circuit(to, pipeline, policy);
    const status = daprStatus(to);
    // Dapr reads the state before it compares, and the reading itself makes an open circuit half-open.
    if (status === 'half-open' || status === daprStatus(from)) return;
    this.#series.activated('circuitbreaker', status).inc();
  }

  #showGauge(): void {
    this.#gauges ??= new Map(STATUSES.map((status) => [status, this.#series.state(status)]));
    const worst = this.#board.worst();
    for (const [status, gauge] of this.#gauges) gauge.set(status === worst ? 1 : 0);
  }
}
