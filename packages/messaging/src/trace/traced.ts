import { beginSpan, endSpan, type MessageTracer } from './message-tracer.ts';
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

/**
 * A handler whose every run is a span (`process orders`) that continues the trace of the message,
 * whatever carried it: for `broker.subscribe`, for a worker, or for any function that is given a
 * message first. The message and what comes after it are handed on untouched. Without a tracer it
 * is the handler itself.
 */
export function traced<M extends TraceableMessage, Rest extends unknown[], R>(
  handler: (message: M, ...rest: Rest) => Promise<R>,
  tracer: MessageTracer | undefined,
  { system = 'holdfast', group }: TracedOptions = {},
): (message: M, ...rest: Rest) => Promise<R> {
  if (tracer === undefined) return handler;
  return async (message, ...rest) => {
    const before = contextIn(message.headers);
    const span = beginSpan(tracer, {
      name: `process ${message.topic}`,
      kind: 'consumer',
      parent: before,
      links: before === undefined ? [] : [before],
      inCall: false,
      attributes: {
        'messaging.system': system,
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': message.topic,
        'messaging.message.id': message.id,
        ...(group !== undefined && { 'messaging.consumer.group.name': group }),
        ...(message.delivery !== undefined && { 'holdfast.delivery': message.delivery }),
      },
    });
    try {
      const work = () => handler(message, ...rest);
      const result = await (span?.run === undefined ? work() : span.run(work));
      endSpan(span);
      return result;
    } catch (error) {
      endSpan(span, error ?? new Error('The handler failed without a reason.'));
      throw error;
    }
  };
}
