import { formatTraceparent, parseTraceparent, type TraceContext } from '@holdfast/core/trace';
import { type HeadersLike, headerOf } from './header.ts';

/** Longer `tracestate` is dropped, as W3C allows and Dapr does. */
const LONGEST_STATE = 512;

/**
 * The trace a request belongs to; undefined where it has none, or a broken one.
 * Pass it on with `traceHeaders`, and log its ids.
 */
export function traceFrom(headers: HeadersLike): TraceContext | undefined {
  const context = parseTraceparent(headerOf(headers, 'traceparent'));
  const state = headerOf(headers, 'tracestate');
  if (context === undefined || state === undefined || state.length > LONGEST_STATE) return context;
  return { ...context, state };
}

/**
 * `traceparent` and `tracestate` of a request that belongs to the same trace.
 * The context goes on as it came: who records no span of his own must not
 * invent one, or the trace has a parent that nobody can find.
 */
export function traceHeaders(context: TraceContext | undefined): Record<string, string> {
  if (context === undefined) return {};
  const headers: Record<string, string> = { traceparent: formatTraceparent(context) };
  if (context.state !== undefined && context.state.length <= LONGEST_STATE) {
    headers.tracestate = context.state;
  }
  return headers;
}
