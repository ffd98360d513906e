import type { TraceContext } from '@holdfast/core/trace';

/**
 * Whoever records spans: OpenTelemetry through `otelTracer(api)`, Holdfast's own exporters through
 * `spanTracer(sink)` of `@holdfast/telemetry/trace`, or ten lines of yours.
 */
export interface MessageTracer {
  /** Begins a span. Undefined: the work is not traced, and headers go on as they came. */
  startSpan(work: TracedWork): MessageSpan | undefined;
}

/** A piece of work on one message, named as OpenTelemetry's conventions for messaging have it. */
export interface TracedWork {
  /** `accept orders`, `publish orders`, `process orders`. */
  readonly name: string;
  readonly kind: 'producer' | 'consumer';
  /** The hop before, from the message's headers; undefined where a trace begins. */
  readonly parent: TraceContext | undefined;
  /** The hop before once more: tools for queues follow links, tools for calls follow parents. */
  readonly links: readonly TraceContext[];
  /**
   * Somebody's call is under way: a span that is active in this process is a nearer parent, where
   * it is of the same trace or `parent` is undefined. Else what is active is by chance.
   */
  readonly inCall: boolean;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** A span under way; its place in the trace is what the next hop continues. */
export interface MessageSpan extends TraceContext {
  set(attribute: string, value: string | number | boolean): void;
  /** `error` says why the work failed. */
  end(error?: string): void;
  /** Calls `work` with the span active, where its tracer knows such a thing. */
  run?<T>(work: () => T): T;
}

/** A tracer that fails costs the trace, never the message. */
export function beginSpan(tracer: MessageTracer, work: TracedWork): MessageSpan | undefined {
  try {
    return tracer.startSpan(work);
  } catch {
    return undefined;
  }
}

/** Ends a span, with what went wrong if `error` is not undefined; failing to do so is nobody's harm. */
export function endSpan(
  span: MessageSpan | undefined,
  error?: unknown,
  attributes: TracedWork['attributes'] = {},
): void {
  if (span === undefined) return;
  try {
    for (const [name, value] of Object.entries(attributes)) span.set(name, value);
    if (error === undefined) span.end();
    else {
      span.set('error.type', typeOf(error));
      span.end(error instanceof Error ? error.message : String(error));
    }
  } catch {
    // As above.
  }
}

/** Few different ones: a code, a class of errors; never a message. */
function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return '_OTHER';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
