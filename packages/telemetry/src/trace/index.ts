export { LiveSpan } from './live-span.ts';
export type { FinishedSpan, SpanAttributes, SpanEvent, SpanKind, SpanSink } from './span.ts';
