import { AsyncLocalStorage } from 'node:async_hooks';
import * as api from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { otelTracer } from '../otel-tracer.ts';

/** The real OpenTelemetry, with its spans in hand. */
export function openTelemetry(sampler?: Sampler) {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    ...(sampler && { sampler }),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const raw = provider.getTracer('test');
  return {
    api,
    /** As an application would use it beside ours. */
    raw,
    tracer: otelTracer(api, raw),
    spans: (): readonly SeenSpan[] => exporter.getFinishedSpans().map(seen),
  };
}

export interface SeenSpan {
  readonly name: string;
  readonly kind: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parent: string | undefined;
  readonly links: readonly string[];
  readonly attributes: ReadableSpan['attributes'];
  readonly error: string | undefined;
}

function seen(span: ReadableSpan): SeenSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    name: span.name,
    kind: api.SpanKind[span.kind],
    traceId,
    spanId,
    parent: span.parentSpanContext?.spanId,
    links: span.links.map(({ context }) => context.spanId),
    attributes: span.attributes,
    error: span.status.code === api.SpanStatusCode.ERROR ? span.status.message : undefined,
  };
}

/** What OpenTelemetry's own package for Node does, in short: the active span follows awaits. */
export function followAwaits(): () => void {
  const storage = new AsyncLocalStorage<api.Context>();
  api.context.setGlobalContextManager({
    active: () => storage.getStore() ?? api.ROOT_CONTEXT,
    with: (context, work, self, ...args) =>
      storage.run(context, () => work.call(self as ThisParameterType<typeof work>, ...args)),
    bind: (_context, target) => target,
    enable() {
      return this;
    },
    disable() {
      return this;
    },
  });
  return () => api.context.disable();
}
