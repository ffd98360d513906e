export { LiveSpan } from './live-span.ts';
export type { FinishedSpan, SpanAttributes, SpanEvent, SpanKind, SpanSink } from './span.ts';
export {
  type SpanTracer,
  type SpanTracerOptions,
  type SpanWork,
  spanTracer,
  type TracerSpan,
} from './span-tracer.ts';
