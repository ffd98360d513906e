import { formatTraceparent, parseTraceparent, type TraceContext } from '@holdfast/core/trace';

export type MessageHeaders = Readonly<Record<string, string>>;

/** Longer ones may be dropped, says the standard. */
const LONGEST_STATE = 512;

/** A message's place in its trace; undefined where it has none, or a broken one. */
export function contextIn({ traceparent, tracestate }: MessageHeaders): TraceContext | undefined {
  const context = parseTraceparent(traceparent);
  if (context === undefined || !tracestate || tracestate.length > LONGEST_STATE) return context;
  return { ...context, state: tracestate };
}

/** Headers that say `context`, and nothing else, is the message's place in its trace. */
export function withContext(
  headers: MessageHeaders,
  context: TraceContext | undefined,
): MessageHeaders {
  const { traceparent, tracestate, ...others } = headers;
  if (context === undefined) return (traceparent ?? tracestate) ? others : headers;
  const { state } = context;
  return {
    ...others,
    traceparent: formatTraceparent(context),
    ...(state !== undefined && { tracestate: state }),
  };
}
