import type { Clock } from '@holdfast/core';
import { childOf, type TraceContext } from '@holdfast/core/trace';
import type { SpanEvent, SpanKind, SpanSink } from './span.ts';

/** A piece of work under way that will be sent to whoever collects traces. */
export class LiveSpan implements TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled = true;
  readonly state?: string;
  name: string;
  readonly attributes: Record<string, string | number | boolean> = {};
  readonly #kind: SpanKind;
  readonly #parentSpanId: string | undefined;
  readonly #sink: SpanSink;
  readonly #clock: Clock;
  readonly #links: readonly TraceContext[];
  /** Wall clock at its start; the rest is measured, for the wall clock may jump. */
  readonly #startMs: number;
  readonly #startedMs: number;
  #events: SpanEvent[] | undefined;
  #ended = false;

  constructor(
    context: TraceContext,
    work: {
      readonly name: string;
      readonly kind: SpanKind;
      readonly parentSpanId: string | undefined;
      readonly links?: readonly TraceContext[];
    },
    sink: SpanSink,
    clock: Clock,
  ) {
    this.traceId = context.traceId;
    this.spanId = context.spanId;
    if (context.state !== undefined) this.state = context.state;
    this.name = work.name;
    this.#kind = work.kind;
    this.#parentSpanId = work.parentSpanId;
    this.#links = work.links ?? [];
    this.#sink = sink;
    this.#clock = clock;
    this.#startMs = clock.wallMs();
    this.#startedMs = clock.now();
  }

  /** Work inside this. */
  child(name: string, kind: SpanKind): LiveSpan {
    const work = { name, kind, parentSpanId: this.spanId };
    return new LiveSpan(childOf(this), work, this.#sink, this.#clock);
  }

  set(attribute: string, value: string | number | boolean): void {
    this.attributes[attribute] = value;
  }

  event(name: string, attributes: SpanEvent['attributes'] = {}): void {
    this.#events ??= [];
    this.#events.push({ name, atMs: this.#nowMs(), attributes });
  }

  /** Sends it off; `error` says why the work failed. Ending twice does nothing. */
  end(error?: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#sink.add({
      context: this,
      parentSpanId: this.#parentSpanId,
      name: this.name,
      kind: this.#kind,
      startMs: this.#startMs,
      endMs: this.#nowMs(),
      attributes: this.attributes,
      ...(this.#events === undefined ? {} : { events: this.#events }),
      ...(this.#links.length === 0 ? {} : { links: this.#links }),
      ...(error === undefined ? {} : { error }),
    });
  }

  #nowMs(): number {
    return this.#startMs + (this.#clock.now() - this.#startedMs);
  }
}
