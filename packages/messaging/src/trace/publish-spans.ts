import type { Message } from '../message.ts';
import { isRejection } from '../relay/options.ts';
import { beginSpan, endSpan, type MessageSpan, type MessageTracer } from './message-tracer.ts';
import { contextIn, withContext } from './trace-headers.ts';

/** A batch on its way to a broker, each message under a span of its own. */
export class PublishSpans {
  /** What is to be published: the messages, with the places of their spans. */
  readonly messages: readonly Message[];
  readonly #spans: ReadonlyMap<string, MessageSpan>;

  constructor(tracer: MessageTracer, given: readonly Message[], system: string | undefined) {
    const spans = new Map<string, MessageSpan>();
    this.#spans = spans;
    this.messages = given.map((message) => {
      const before = contextIn(message.headers);
      const span = beginSpan(tracer, {
        name: `publish ${message.topic}`,
        kind: 'producer',
        parent: before,
        links: before === undefined ? [] : [before],
        // The relay works for whoever comes: a span that is active here is somebody else's.
        inCall: false,
        attributes: {
          'messaging.system': system ?? 'holdfast',
          'messaging.operation.name': 'publish',
          'messaging.operation.type': 'send',
          'messaging.destination.name': message.topic,
          'messaging.message.id': message.id,
          'messaging.message.body.size': message.body.byteLength,
        },
      });
      if (span !== undefined) spans.set(message.id, span);
      return { ...message, headers: withContext(message.headers, span ?? before) };
    });
  }

  /** The broker has answered, or has not: `error` is what publishing the batch was rejected with. */
  end(error?: unknown): void {
    for (const [id, span] of this.#spans) endSpan(span, reasonFor(id, error));
  }
}

/** A broker that is well refuses single messages; any other failure is that of all. */
function reasonFor(id: string, error: unknown): unknown {
  if (!isRejection(error) || error.taken.has(id)) return isRejection(error) ? undefined : error;
  return error.rejected.get(id) ?? error.postponed.get(id) ?? error;
}
