import { formatTraceparent } from '@holdfast/core/trace';
import { recorded, type Tracing, traceFacts } from '../../trace/tracing.ts';
import type { Envelope } from '../envelope.ts';

/** What one attempt brings to the application; what is no CloudEvent tells no trace. */
export interface TracedDelivery {
  readonly topic: string;
  readonly events: readonly (Envelope | string)[];
}

/**
 * Makes one attempt within spans of the names that Dapr gives them: one for each event, as a part of the trace
 * that it tells, or of a new one (daprd: none then, and what the application calls is in no trace). `attempt` is given the header that hands the trace on, of several events that of the last
 * (a request has one); `faultOf` says why an answer is none.
 */
export async function inDeliverySpans<T>(
  tracing: Tracing,
  { events, topic }: TracedDelivery,
  attempt: (trace: readonly string[]) => Promise<T>,
  faultOf: (answer: T) => string | undefined = () => undefined,
): Promise<T> {
  const begun = events.flatMap((event) => begin(tracing, topic, event) ?? []);
  const end = (fault: string | undefined): void => {
    for (const { live } of begun) live?.end(fault);
  };
  try {
    const header = begun.at(-1)?.header;
    const answer = await attempt(header === undefined ? [] : ['traceparent', header]);
    end(faultOf(answer));
    return answer;
  } catch (error) {
    end((error as Error).message);
    throw error;
  }
}

function begin(tracing: Tracing, topic: string, event: Envelope | string) {
  const told = typeof event === 'object' ? (event.traceparent ?? event.traceid) : undefined;
  const parent = typeof told === 'string' ? told : undefined;
  const span = tracing.begin(`pubsub/${topic}`, 'client', parent, undefined);
  // Where none begins here, what tells none is brought without a header.
  if (parent === undefined && traceFacts(span).traceparent === '') return undefined;
  // Where tracing is off, what the event says goes on like any other header.
  if (span === undefined) return { header: /^[\da-f-]+$/.test(parent ?? '') ? parent : undefined };
  const live = recorded(span);
  live?.set('messaging.system', 'pubsub');
  live?.set('messaging.destination.name', topic);
  return { header: formatTraceparent(span), live };
}
