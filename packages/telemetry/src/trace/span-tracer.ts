import { type Clock, type Random, systemClock, systemRandom } from '@holdfast/core';
import { childOf, newTrace, type TraceContext } from '@holdfast/core/trace';
import { LiveSpan } from './live-span.ts';
import type { SpanAttributes, SpanKind, SpanSink } from './span.ts';

export interface SpanTracerOptions {
  /** Of the traces that begin here, this part is recorded. @default 1 (0 … 1) */
  readonly sampleRatio?: number;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Decides which are recorded. @default systemRandom */
  readonly random?: Random;
}

/** Work to be recorded, as `@holdfast/messaging` describes it. */
export interface SpanWork {
  readonly name: string;
  readonly kind: SpanKind;
  readonly parent: TraceContext | undefined;
  readonly links: readonly TraceContext[];
  readonly attributes: SpanAttributes;
}

/** A place in a trace that may be recorded: what it is told, it sends off or forgets. */
export type TracerSpan = TraceContext & Pick<LiveSpan, 'set' | 'end'>;

/** What a service hands to those who make spans and know no exporter. */
export interface SpanTracer {
  startSpan(work: SpanWork): TracerSpan;
}

/**
 * Records spans of others' work in a sink: `openOutbox({ store, tracer: spanTracer(sink) })`. Whoever
 * began a trace has decided whether it is recorded; those that begin here are sampled.
 */
export function spanTracer(sink: SpanSink, given: SpanTracerOptions = {}): SpanTracer {
  const { sampleRatio = 1, clock = systemClock, random = systemRandom } = given;
  if (!(sampleRatio >= 0 && sampleRatio <= 1)) {
    throw new RangeError(`spanTracer.sampleRatio must be from 0 to 1, not ${sampleRatio}.`);
  }
  return {
    startSpan({ name, kind, parent, links, attributes }) {
      const place = parent ? childOf(parent) : newTrace(random.next() < sampleRatio);
      // Whoever records no span must not invent one: what was left out goes on as it came.
      if (!place.sampled) return { ...(parent ?? place), set() {}, end() {} };
      const work = { name, kind, links, parentSpanId: parent?.spanId };
      const span = new LiveSpan(place, work, sink, clock);
      for (const [attribute, value] of Object.entries(attributes)) span.set(attribute, value);
      return span;
    },
  };
}
