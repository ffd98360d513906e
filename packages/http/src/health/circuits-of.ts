import type { CircuitSnapshot, CircuitState, PipelineSnapshot } from '@holdfast/core';

/** A circuit as `/health` shows it, in the words of its users' dashboards. */
export interface CircuitReport {
  readonly state: CircuitState;
  /** Whether calls are refused now. */
  readonly open: boolean;
  /** Failures in a row that count towards opening; those that opened it, until it is closed again. */
  readonly failures: number;
  /** Until a call is let through again, in milliseconds; 0 unless open. */
  readonly retry_after_ms: number;
  /** Why it last changed, in words; empty if it never did. */
  readonly why: string;
}

/** The part of core's `Registry` that is asked. */
export interface Pipelines {
  list(): readonly PipelineSnapshot[];
}

/**
 * The circuits of a registry, by the name of their pipeline; a pipeline with
 * several names them `pipeline/policy`.
 */
export function circuitsOf(pipelines: Pipelines): Record<string, CircuitReport> {
  const reports: Record<string, CircuitReport> = {};
  for (const { name, policies } of pipelines.list()) {
    const circuits = policies.filter((policy) => policy.circuit !== undefined);
    for (const { name: policy, circuit } of circuits) {
      reports[circuits.length > 1 ? `${name}/${policy}` : name] = circuitReport(circuit!);
    }
  }
  return reports;
}

/** The circuit of a pipeline, its outermost if it has several; undefined if it has none. */
export function circuitOf(pipeline: { inspect(): PipelineSnapshot }): CircuitSnapshot | undefined {
  return pipeline.inspect().policies.find((policy) => policy.circuit !== undefined)?.circuit;
}

/** One circuit in those words. */
export function circuitReport({
  state,
  counts,
  trippedBy,
  retryAfterMs,
  why,
}: CircuitSnapshot): CircuitReport {
  return {
    state,
    open: state === 'open' || state === 'forced-open',
    failures: (trippedBy ?? counts).consecutiveFailures,
    retry_after_ms: Math.ceil(retryAfterMs),
    why,
  };
}
