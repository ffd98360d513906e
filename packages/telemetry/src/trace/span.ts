import type { TraceContext } from '@holdfast/core/trace';

/** What part its owner plays in the exchange that a span describes, as OpenTelemetry names it. */
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Something that happened within a span. */
export interface SpanEvent {
  readonly name: string;
  /** Milliseconds since the Unix epoch; may have a fraction. */
  readonly atMs: number;
  readonly attributes?: SpanAttributes;
}

/** A piece of work that has ended, as it is sent to whoever collects traces. */
export interface FinishedSpan {
  /** Its own place in the trace. */
  readonly context: TraceContext;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  /** Milliseconds since the Unix epoch; may have a fraction. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  readonly events?: readonly SpanEvent[];
  /** Work that led to this and is not its parent: a message's sender. */
  readonly links?: readonly TraceContext[];
  /** Why it failed; undefined where it did not. */
  readonly error?: string | undefined;
}

/** Takes finished spans and sends them on, in batches, without holding anybody up. */
export interface SpanSink {
  add(span: FinishedSpan): void;
  /** Sends what is left, for so long at most. Milliseconds. @default 2_000 */
  close(patienceMs?: number): Promise<void>;
}
