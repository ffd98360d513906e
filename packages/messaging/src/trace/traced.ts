import { beginSpan, endSpan, type MessageTracer, type TracedWork } from './message-tracer.ts';
import { contextIn, type MessageHeaders } from './trace-headers.ts';

/** What is needed of a message, or of a job, to continue its trace. */
export interface TraceableMessage {
  readonly id: string;
  readonly topic: string;
  readonly headers: MessageHeaders;
  readonly delivery?: number;
}

export interface TracedOptions {
  /** `kafka`, `rabbitmq`, `mqtt`, `nats`: `messaging.system`. @default 'holdfast' */
  readonly system?: string;
  /** The group that handles: `messaging.consumer.group.name`. @default not said */
  readonly group?: string;
}

// biome-ignore lint/suspicious/noConfusingVoidType: handlers that return nothing are handlers too.
type Handled = Promise<unknown> | void;

/**
 * A handler whose every run is a span (`process orders`) that continues the trace of the message,
 * whatever carried it: for `broker.subscribe`, for a worker, or for any function that is given a
 * message first. The message and what comes after it are handed on untouched. Without a tracer it
 * is the handler itself.
 */
export function traced<M extends TraceableMessage, Rest extends unknown[], R extends Handled>(
  handler: (message: M, ...rest: Rest) => R,
  tracer: MessageTracer | undefined,
  options: TracedOptions = {},
): (message: M, ...rest: Rest) => R {
  if (tracer === undefined) return handler;
  return (message, ...rest) => {
    const before = contextIn(message.headers);
    const { id, topic, delivery } = message;
    const work = processing(topic, options, {
      'messaging.message.id': id,
      ...(delivery !== undefined && { 'holdfast.delivery': delivery }),
    });
    const hop = { ...work, parent: before, links: before === undefined ? [] : [before] };
    return runIn(tracer, hop, () => handler(message, ...rest));
  };
}

/**
 * The same for a handler of many messages at once: one span, linked to the hops before of all of
 * them. It begins a trace of its own, for it belongs to none of theirs more than to the others.
 */
export function tracedBatch<M extends TraceableMessage, Rest extends unknown[], R extends Handled>(
  handler: (messages: readonly M[], ...rest: Rest) => R,
  tracer: MessageTracer | undefined,
  options: TracedOptions = {},
): (messages: readonly M[], ...rest: Rest) => R {
  if (tracer === undefined) return handler;
  return (messages, ...rest) => {
    const topics = new Set(messages.map(({ topic }) => topic));
    const topic = [...topics].sort().join(' ');
    const work = processing(topic, options, { 'messaging.batch.message_count': messages.length });
    const links = messages
      .map(({ headers }) => contextIn(headers))
      .filter((place) => place !== undefined);
    return runIn(tracer, { ...work, parent: undefined, links }, () => handler(messages, ...rest));
  };
}

function processing(
  topic: string,
  { system = 'holdfast', group }: TracedOptions,
  more: TracedWork['attributes'],
) {
  return {
    name: `process ${topic}`,
    kind: 'consumer' as const,
    inCall: false,
    attributes: {
      'messaging.system': system,
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': topic,
      ...more,
      ...(group !== undefined && { 'messaging.consumer.group.name': group }),
    },
  };
}

/** A promise stands where nothing or a promise is expected, so `R` is kept. */
function runIn<R extends Handled>(tracer: MessageTracer, work: TracedWork, handle: () => R): R {
  const run = async () => {
    const span = beginSpan(tracer, work);
    try {
      const result = await (span?.run === undefined ? handle() : span.run(handle));
      endSpan(span);
      return result;
    } catch (error) {
      endSpan(span, error ?? new Error('The handler failed without a reason.'));
      throw error;
    }
  };
  return run() as R;
}
