export type { MessageSpan, MessageTracer, TracedWork } from './message-tracer.ts';
export {
  type OpenTelemetryApi,
  type OtelContext,
  type OtelSpan,
  type OtelSpanContext,
  type OtelTracer,
  type OtelTraceState,
  otelTracer,
} from './otel-tracer.ts';
export { type TraceableMessage, type TracedOptions, traced, tracedBatch } from './traced.ts';
