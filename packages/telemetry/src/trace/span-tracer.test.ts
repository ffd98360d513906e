import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@holdfast/core/testing';
import { memoryStore, openOutbox } from '@holdfast/messaging';
import { memoryBroker } from '@holdfast/messaging/testing';
import { traced } from '@holdfast/messaging/trace';
import type { FinishedSpan, SpanSink } from './span.ts';
import { spanTracer } from './span-tracer.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';

test('an outbox, its relay and a handler send their spans to a sink of ours, in one trace', async () => {
  const { sink, spans } = collector();
  const tracer = spanTracer(sink);
  const outbox = await openOutbox({ store: memoryStore(), tracer });
  const broker = memoryBroker();
  const handled = new Promise<void>((resolve) => {
    void broker.subscribe(
      'orders',
      { group: 'billing' },
      traced(async () => resolve(), tracer, { group: 'billing' }),
    );
  });
  outbox.relay(broker);
  const headers = { traceparent: `00-${TRACE}-${CALLER}-01`, tracestate: 'v=1' };
  await outbox.accept([{ id: 'a', topic: 'orders', body: 'x', headers }]);
  await handled;
  await outbox.close();
  await broker.close();

  const [accept, publish, process] = ['accept', 'publish', 'process'].map((what) =>
    spans.find(({ name }) => name === `${what} orders`),
  );
  assert.deepEqual(
    [accept, publish, process].map((span) => [
      span?.context.traceId,
      span?.context.state,
      span?.kind,
      span?.parentSpanId,
      span?.links?.map(({ spanId }) => spanId),
    ]),
    [
      [TRACE, 'v=1', 'producer', CALLER, undefined],
      [TRACE, 'v=1', 'producer', accept?.context.spanId, [accept?.context.spanId]],
      [TRACE, 'v=1', 'consumer', publish?.context.spanId, [publish?.context.spanId]],
    ],
  );
  assert.equal(process?.attributes['messaging.consumer.group.name'], 'billing');
});

test('what its trace’s beginner left out stays left out, with the ids that it came with', async () => {
  const { sink, spans } = collector();
  const outbox = await openOutbox({ store: memoryStore(), tracer: spanTracer(sink) });
  const traceparent = `00-${TRACE}-${CALLER}-00`;
  await outbox.accept([{ topic: 'orders', body: 'x', headers: { traceparent } }]);
  const [message] = (await outbox.waiting()).messages;
  assert.deepEqual([message?.headers, spans], [{ traceparent }, []]);
});

test('of the traces that begin here a part is recorded, and the next hop is told', async () => {
  const { sink, spans } = collector();
  const tracer = spanTracer(sink, { sampleRatio: 0.25, random: seededRandom(1) });
  const outbox = await openOutbox({ store: memoryStore(), tracer });
  await outbox.accept(Array.from({ length: 400 }, () => ({ topic: 'orders', body: 'x' })));
  const { messages } = await outbox.waiting({ limit: 1_000 });
  const flags = messages.map(({ headers }) => headers.traceparent?.slice(-2));
  assert.ok(spans.length > 60 && spans.length < 140, `${spans.length} of 400`);
  assert.equal(flags.filter((flag) => flag === '01').length, spans.length);
  assert.equal(flags.filter((flag) => flag === '00').length, 400 - spans.length);
  assert.throws(() => spanTracer(sink, { sampleRatio: 2 }), {
    message: 'spanTracer.sampleRatio must be from 0 to 1, not 2.',
  });
});

function collector() {
  const spans: FinishedSpan[] = [];
  const sink: SpanSink = { add: (span) => void spans.push(span), close: async () => {} };
  return { sink, spans };
}
