import type { Receipt } from '../message.ts';
import type { AppendMessage } from '../store.ts';
import { beginSpan, endSpan, type MessageTracer } from './message-tracer.ts';
import { contextIn, withContext } from './trace-headers.ts';

/**
 * Traces accepting: one span per message, from the call to the disk. Each message carries the place
 * of its span from there on.
 */
export async function traceAccept(
  tracer: MessageTracer,
  given: readonly AppendMessage[],
  accept: (messages: readonly AppendMessage[]) => Promise<readonly Receipt[]>,
): Promise<readonly Receipt[]> {
  const traced = given.map((message) => {
    const parent = contextIn(message.headers);
    const span = beginSpan(tracer, {
      name: `accept ${message.topic}`,
      kind: 'producer',
      parent,
      links: [],
      inCall: true,
      attributes: {
        'messaging.system': 'holdfast',
        'messaging.operation.name': 'accept',
        'messaging.operation.type': 'create',
        'messaging.destination.name': message.topic,
        'messaging.message.id': message.id,
        'messaging.message.body.size': message.body.byteLength,
      },
    });
    // Without a span, a broken context is still not passed on.
    return { span, message: { ...message, headers: withContext(message.headers, span ?? parent) } };
  });
  try {
    const receipts = await accept(traced.map(({ message }) => message));
    traced.forEach(({ span }, index) => {
      // What travels is the first message of that id, in a trace of its own.
      const isDuplicate = receipts[index]?.duplicate === true;
      endSpan(span, undefined, isDuplicate ? { 'holdfast.duplicate': true } : {});
    });
    return receipts;
  } catch (error) {
    for (const { span } of traced) endSpan(span, error);
    throw error;
  }
}
