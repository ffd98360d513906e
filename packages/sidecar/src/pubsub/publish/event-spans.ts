import type { LiveSpan } from '@holdfast/telemetry/trace';
import { recorded, type Span, type TraceFacts, traceFacts } from '../../trace/tracing.ts';

/**
 * Publishes events together, each in a span of its own inside that of the `call`, as Dapr does: so one can be
 * followed without the others. `publish` asks for the trace of each event.
 */
export async function inEventSpans<T>(
  call: Span | undefined,
  name: string,
  publish: (trace: () => TraceFacts) => Promise<T>,
): Promise<T> {
  const begun: LiveSpan[] = [];
  const parent = recorded(call);
  const trace = (): TraceFacts => {
    const span = parent?.child(name, 'producer');
    if (span !== undefined) begun.push(span);
    return traceFacts(span ?? call);
  };
  try {
    return await publish(trace);
  } finally {
    for (const span of begun) span.end();
  }
}
