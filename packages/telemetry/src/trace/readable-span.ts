import type { TraceContext } from '@holdfast/core/trace';
import { type HrTime, SpanKind as Kind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { FinishedSpan, SpanKind } from './span.ts';

const KINDS: Readonly<Record<SpanKind, Kind>> = {
  internal: Kind.INTERNAL,
  server: Kind.SERVER,
  client: Kind.CLIENT,
  producer: Kind.PRODUCER,
  consumer: Kind.CONSUMER,
};

/** Puts spans of ours in the form that OpenTelemetry's exporters read. */
export function readableSpans(
  serviceName: string,
  more: Readonly<Record<string, string>>,
): (span: FinishedSpan) => ReadableSpan {
  const resource = resourceFromAttributes({ 'service.name': serviceName, ...more });
  // Dapr's name for its tracer: dashboards filter by it.
  const instrumentationScope = { name: 'dapr-diagnostics' };
  return (span) => ({
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => spanContext(span.context),
    ...(span.parentSpanId === undefined
      ? {}
      : { parentSpanContext: spanContext({ ...span.context, spanId: span.parentSpanId }) }),
    startTime: hrTime(span.startMs),
    endTime: hrTime(span.endMs),
    duration: hrTime(span.endMs - span.startMs),
    ended: true,
    status:
      span.error === undefined
        ? { code: SpanStatusCode.UNSET }
        : { code: SpanStatusCode.ERROR, message: span.error },
    attributes: span.attributes,
    events: (span.events ?? []).map(({ name, atMs, attributes = {} }) => ({
      name,
      time: hrTime(atMs),
      attributes,
    })),
    links: (span.links ?? []).map((context) => ({ context: spanContext(context) })),
    resource,
    instrumentationScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  });
}

function spanContext({ traceId, spanId, sampled }: TraceContext) {
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE };
}

/** Seconds and nanoseconds. */
function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
