import type { TraceContext } from '@holdfast/core/trace';
import type { MessageSpan, MessageTracer } from './message-tracer.ts';

/** The part of `@opentelemetry/api` (1.x) that is used: `import * as api from '@opentelemetry/api'`. */
export interface OpenTelemetryApi {
  readonly ROOT_CONTEXT: OtelContext;
  readonly SpanKind: { readonly PRODUCER: number; readonly CONSUMER: number };
  readonly SpanStatusCode: { readonly ERROR: number };
  readonly context: {
    active(): OtelContext;
    with<T>(context: OtelContext, work: () => T): T;
  };
  readonly trace: {
    getTracer(name: string): OtelTracer;
    setSpan(context: OtelContext, span: OtelSpan): OtelContext;
    setSpanContext(context: OtelContext, place: OtelSpanContext): OtelContext;
    getSpanContext(context: OtelContext): OtelSpanContext | undefined;
    isSpanContextValid(place: OtelSpanContext): boolean;
  };
  createTraceState(text: string): OtelTraceState;
}

export interface OtelContext {
  getValue(key: symbol): unknown;
  setValue(key: symbol, value: unknown): OtelContext;
  deleteValue(key: symbol): OtelContext;
}

export interface OtelTracer {
  startSpan(
    name: string,
    options?: {
      kind?: number;
      attributes?: Record<string, string | number | boolean>;
      links?: { context: OtelSpanContext }[];
    },
    context?: OtelContext,
  ): OtelSpan;
}

export interface OtelSpan {
  spanContext(): OtelSpanContext;
  setAttribute(name: string, value: string | number | boolean): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  end(): void;
}

export interface OtelSpanContext {
  traceId: string;
  spanId: string;
  isRemote?: boolean;
  traceFlags: number;
  traceState?: OtelTraceState;
}

export interface OtelTraceState {
  serialize(): string;
  set(key: string, value: string): OtelTraceState;
  unset(key: string): OtelTraceState;
  get(key: string): string | undefined;
}

/**
 * Records with OpenTelemetry: `openOutbox({ store, tracer: otelTracer(api) })`. Its sampler decides;
 * what it leaves out is left out by the next hops too. Handlers run with their span active.
 */
export function otelTracer(
  api: OpenTelemetryApi,
  tracer: OtelTracer = api.trace.getTracer('@holdfast/messaging'),
): MessageTracer {
  const remote = (place: TraceContext): OtelSpanContext => ({
    traceId: place.traceId,
    spanId: place.spanId,
    traceFlags: place.sampled ? SAMPLED : 0,
    isRemote: true,
    ...(place.state !== undefined && { traceState: api.createTraceState(place.state) }),
  });
  const parentOf = (parent: TraceContext | undefined, inCall: boolean): OtelContext => {
    const active = inCall ? api.trace.getSpanContext(api.context.active()) : undefined;
    if (active !== undefined && api.trace.isSpanContextValid(active)) {
      if (parent === undefined || parent.traceId === active.traceId) return api.context.active();
    }
    if (parent === undefined) return api.ROOT_CONTEXT;
    return api.trace.setSpanContext(api.ROOT_CONTEXT, remote(parent));
  };

  return {
    startSpan({ name, kind, parent, inCall, links, attributes }) {
      const span = tracer.startSpan(
        name,
        {
          kind: kind === 'producer' ? api.SpanKind.PRODUCER : api.SpanKind.CONSUMER,
          attributes: { ...attributes },
          links: links.map((place) => ({ context: remote(place) })),
        },
        parentOf(parent, inCall),
      );
      // Where nobody has set a provider up, spans have no place in any trace.
      if (!api.trace.isSpanContextValid(span.spanContext())) return undefined;
      return messageSpan(api, span);
    },
  };
}

const SAMPLED = 1;

function messageSpan(api: OpenTelemetryApi, span: OtelSpan): MessageSpan {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const state = traceState?.serialize();
  return {
    traceId,
    spanId,
    sampled: (traceFlags & SAMPLED) === SAMPLED,
    ...(state !== undefined && state !== '' && { state }),
    set: (attribute, value) => void span.setAttribute(attribute, value),
    end(error) {
      if (error !== undefined) {
        span.setStatus({ code: api.SpanStatusCode.ERROR, message: error });
      }
      span.end();
    },
    run: (work) => api.context.with(api.trace.setSpan(api.context.active(), span), work),
  };
}
