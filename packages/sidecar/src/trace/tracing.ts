import type { Clock, Random } from '@holdfast/core';
import {
  childOf,
  formatTraceparent,
  newTrace,
  parseTraceparent,
  type TraceContext,
} from '@holdfast/core/trace';
import { LiveSpan, type SpanKind, type SpanSink } from '@holdfast/telemetry/trace';

/** A span's ids where it is not recorded; where it is, what it becomes when it ends. */
export type Span = TraceContext | LiveSpan;

/**
 * In no trace. Where nobody is sent spans, none begins here: its id would keep an application that does record
 * traces from beginning one, for who made it up has sampled nothing. Written with ids of zeros, as daprd does, it
 * is to be read as if it were not there (W3C Trace Context).
 */
export const NO_TRACE: TraceContext = {
  traceId: '0'.repeat(32),
  spanId: '0'.repeat(16),
  sampled: false,
};

/** Makes spans, or continues the traces that come in. */
export interface Tracing {
  /** `false`: incoming trace headers pass like any others and none are made. */
  readonly on: boolean;
  /**
   * Begins the span of some work. It is recorded (a `LiveSpan`) where its trace
   * is sampled and spans are sent anywhere; else it is only the ids that go on.
   */
  begin(
    name: string,
    kind: SpanKind,
    traceparent: string | undefined,
    tracestate: string | undefined,
  ): Span | undefined;
}

export interface TracingOptions {
  /** 0 … 1; 0 turns tracing off altogether, as in Dapr. */
  readonly samplingRate: number;
  readonly random: Random;
  readonly clock: Clock;
  /** Where spans go; without one none are recorded. */
  readonly sink: SpanSink | undefined;
  /**
   * A trace that comes in goes on as it came, and none begins. Where nobody is sent spans, one of ours would be
   * a hole in the application's trace; daprd has none either, unless a sampling rate is said. @default false
   */
  readonly transparent?: boolean;
}

/**
 * Parent-based sampling: whoever began the trace has decided; a trace begun
 * here is sampled with probability `samplingRate`.
 */
export function createTracing(options: TracingOptions): Tracing {
  const { random, clock, samplingRate, sink, transparent = false } = options;
  if (samplingRate === 0) return { on: false, begin: () => undefined };
  const contextOf = (parent: TraceContext | undefined, tracestate: string | undefined) => {
    if (parent === undefined) {
      if (transparent) return NO_TRACE;
      return newTrace(samplingRate === 1 || random.next() < samplingRate);
    }
    const child = transparent ? parent : childOf(parent);
    return tracestate === undefined ? child : { ...child, state: tracestate };
  };
  return {
    on: true,
    begin(name, kind, traceparent, tracestate) {
      const parent = parseTraceparent(traceparent);
      const context = contextOf(parent, tracestate);
      if (sink === undefined || !context.sampled) return context;
      return new LiveSpan(context, { name, kind, parentSpanId: parent?.spanId }, sink, clock);
    },
  };
}

/** The span that is being recorded, if this one is. */
export const recorded = (span: Span | undefined): LiveSpan | undefined =>
  span instanceof LiveSpan ? span : undefined;

/** What events carry on of the trace they are published in; empty texts where there is none. */
export interface TraceFacts {
  readonly traceparent: string;
  readonly tracestate: string;
}

export const traceFacts = (span: Span | undefined): TraceFacts => ({
  traceparent: isTraced(span) ? formatTraceparent(span) : '',
  tracestate: span?.state ?? '',
});

/** By which a line of the log finds its trace. */
export const logIds = (span: Span | undefined) =>
  isTraced(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};

const isTraced = (span: Span | undefined): span is Span => span !== undefined && span !== NO_TRACE;

/** Appends the headers that hand `span` on. */
export function pushTrace(headers: string[], span: TraceContext): void {
  if (span.state !== undefined) headers.push('tracestate', span.state);
  headers.push('traceparent', formatTraceparent(span));
}

/** What a binding hands on of the trace that it is called in, by header. */
export function traceHeaders(
  span: TraceContext | undefined,
  baggage: string | null | undefined,
): readonly (readonly [name: string, value: string])[] {
  const headers: [string, string][] = [];
  if (span !== undefined) headers.push(['traceparent', formatTraceparent(span)]);
  if (span?.state !== undefined) headers.push(['tracestate', span.state]);
  if (baggage) headers.push(['baggage', baggage]);
  return headers;
}

/** The same headers for one attempt: `pushTrace` put the trace last. */
export function withTrace(headers: readonly string[], attempt: TraceContext): string[] {
  const own = headers.slice();
  own[own.length - 1] = formatTraceparent(attempt);
  return own;
}
