import type { Random } from '@holdfast/core';
import {
  childOf,
  formatTraceparent,
  newTrace,
  parseTraceparent,
  type TraceContext,
} from '@holdfast/core/trace';

/** Makes trace contexts, or continues the ones that come in. */
export interface Tracing {
  /** `false`: incoming trace headers pass like any others and none are made. */
  readonly on: boolean;
  /** The span of an API call; its ids go out with the answer. */
  begin(traceparent: string | undefined, tracestate: string | undefined): TraceContext | undefined;
}

/**
 * Parent-based sampling: whoever began the trace has decided; a trace begun
 * here is sampled with probability `samplingRate` (0 … 1). Rate 0 turns tracing
 * off altogether, as in Dapr.
 */
export function createTracing(samplingRate: number, random: Random): Tracing {
  if (samplingRate === 0) return { on: false, begin: () => undefined };
  return {
    on: true,
    begin(traceparent, tracestate) {
      const parent = parseTraceparent(traceparent);
      if (parent === undefined) return newTrace(samplingRate === 1 || random.next() < samplingRate);
      const child = childOf(parent);
      return tracestate === undefined ? child : { ...child, state: tracestate };
    },
  };
}

/** Appends the headers that hand `span` on. */
export function pushTrace(headers: string[], span: TraceContext): void {
  if (span.state !== undefined) headers.push('tracestate', span.state);
  headers.push('traceparent', formatTraceparent(span));
}
