import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import * as api from '@opentelemetry/api';
import { AlwaysOffSampler, ParentBasedSampler } from '@opentelemetry/sdk-trace';
import { StoreUnavailableError } from '../errors.ts';
import { memoryStore } from '../memory-store.ts';
import { openOutbox } from '../outbox.ts';
import { type MemoryBroker, memoryBroker } from '../testing/memory-broker.ts';
import type { MessageTracer } from './message-tracer.ts';
import { otelTracer } from './otel-tracer.ts';
import { followAwaits, openTelemetry } from './testing/open-telemetry.ts';
import { type TraceableMessage, traced, tracedBatch } from './traced.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const PARENT = `00-${TRACE}-${CALLER}-01`;

describe('spans of messages, with OpenTelemetry', () => {
  test('continue the trace that a message brings, and say what OpenTelemetry asks for', async () => {
    const { tracer, spans } = openTelemetry();
    const { published } = await relayed(tracer, { traceparent: PARENT, tracestate: 'v=1', x: 'y' });
    const [accept, publish] = spans();

    assert.deepEqual(
      [accept, publish],
      [
        {
          name: 'accept orders',
          kind: 'PRODUCER',
          traceId: TRACE,
          spanId: accept?.spanId,
          parent: CALLER,
          links: [],
          attributes: {
            'messaging.system': 'holdfast',
            'messaging.operation.name': 'accept',
            'messaging.operation.type': 'create',
            'messaging.destination.name': 'orders',
            'messaging.message.id': 'a',
            'messaging.message.body.size': 3,
          },
          error: undefined,
        },
        {
          name: 'publish orders',
          kind: 'PRODUCER',
          traceId: TRACE,
          spanId: publish?.spanId,
          parent: accept?.spanId,
          links: [accept?.spanId],
          attributes: {
            'messaging.system': 'tin-can',
            'messaging.operation.name': 'publish',
            'messaging.operation.type': 'send',
            'messaging.destination.name': 'orders',
            'messaging.message.id': 'a',
            'messaging.message.body.size': 3,
          },
          error: undefined,
        },
      ],
    );
    assert.deepEqual(published[0]?.headers, {
      x: 'y',
      traceparent: `00-${TRACE}-${publish?.spanId}-01`,
      tracestate: 'v=1',
    });
  });

  test('begin a trace where there is none, or a broken one, which is not passed on', async () => {
    const { tracer, spans } = openTelemetry();
    const { published } = await relayed(tracer, { traceparent: 'rubbish', tracestate: 'v=1' });
    const [accept, publish] = spans();
    assert.equal(accept?.parent, undefined);
    assert.deepEqual(published[0]?.headers, {
      traceparent: `00-${accept?.traceId}-${publish?.spanId}-01`,
    });
  });

  test('are not made where the sampler says no, and every later hop is told', async () => {
    const { tracer, spans } = openTelemetry(
      new ParentBasedSampler({ root: new AlwaysOffSampler() }),
    );
    const left = await relayed(tracer, { traceparent: `00-${TRACE}-${CALLER}-00` });
    const begun = await relayed(tracer, {});
    assert.match(left.published[0]?.headers.traceparent ?? '', new RegExp(`^00-${TRACE}-.*-00$`));
    assert.match(begun.published[0]?.headers.traceparent ?? '', /-00$/);
    assert.deepEqual(spans(), []);
  });

  test('leave headers as they are where nobody has set OpenTelemetry up', async () => {
    const headers = { traceparent: PARENT, tracestate: 'v=1' };
    const tracer = otelTracer(api);
    assert.deepEqual((await relayed(tracer, headers)).published[0]?.headers, headers);
    assert.deepEqual((await relayed(tracer, {})).published[0]?.headers, {});
  });

  test('belong under the span that is active where a message is accepted', async (t) => {
    t.after(followAwaits());
    const { tracer, raw, spans } = openTelemetry();
    const outbox = await openOutbox({ store: memoryStore(), tracer });
    const foreign = { traceparent: PARENT };
    await raw.startActiveSpan('POST /orders', async (span) => {
      const { traceId } = span.spanContext();
      const same = { traceparent: `00-${traceId}-${CALLER}-01` };
      await outbox.accept([
        { id: 'none', topic: 'a', body: '' },
        { id: 'same', topic: 'a', body: '', headers: same },
        { id: 'foreign', topic: 'a', body: '', headers: foreign },
      ]);
      span.end();
    });
    const server = spans().find(({ name }) => name === 'POST /orders');
    assert.deepEqual(
      spans()
        .filter(({ name }) => name === 'accept a')
        .map(({ parent, attributes }) => [attributes['messaging.message.id'], parent]),
      [
        ['none', server?.spanId],
        ['same', server?.spanId],
        ['foreign', CALLER],
      ],
    );
  });

  test('tell what went wrong: a refusal, an outage, one message of a batch, a duplicate', async () => {
    const { tracer, spans } = openTelemetry();
    const clock = new VirtualClock();
    const store = memoryStore({ clock });
    let down = true;
    const outbox = await openOutbox({
      clock,
      tracer,
      store: {
        ...store,
        append: (...args) =>
          down
            ? Promise.reject(new StoreUnavailableError('The disk is full.', 250))
            : store.append(...args),
      },
    });
    const accept = (...ids: string[]) =>
      outbox.accept(ids.map((id) => ({ id, topic: 'a', body: id })));
    await accept('lost').catch(() => {});
    down = false;
    await accept('good', 'bad');
    await accept('good');
    const broker = memoryBroker({ clock });
    broker.refuseIf(({ id }) => (id === 'bad' ? 'too odd' : undefined));
    await clock.run(async () => {
      const relay = outbox.relay(broker);
      await clock.sleep(5_000);
      broker.become('down');
      await accept('late');
      await clock.sleep(60_000);
      await relay.stop();
    });
    const told = spans().map(({ name, attributes, error }) =>
      [
        name,
        attributes['messaging.message.id'],
        attributes['holdfast.duplicate'] && 'duplicate',
        attributes['error.type'],
        error,
      ]
        .filter((part) => part !== undefined)
        .join(' · '),
    );
    const down60 = told.filter((line) => line.startsWith('publish a · late'));
    assert.deepEqual(told.slice(0, told.length - down60.length).toSorted(), [
      'accept a · bad',
      'accept a · good',
      'accept a · good · duplicate',
      'accept a · late',
      'accept a · lost · OUTBOX_UNAVAILABLE · The outbox cannot keep anything now: The disk is full.',
      'publish a · bad · _OTHER · too odd',
      'publish a · good',
      // This broker sends nothing of a batch that holds a bad one.
      'publish a · good · BROKER_REJECTED · The broker did not take 1 message(s), first bad: too odd.',
    ]);
    // One span for each try, none for what an open circuit refused.
    assert.ok(down60.length <= broker.attempts, `${down60.length} of ${broker.attempts}`);
    assert.match(down60[0] ?? '', /BROKER_UNAVAILABLE/);
  });

  test('are active while a handler works, which is handed its message untouched', async (t) => {
    t.after(followAwaits());
    const { tracer, raw, spans } = openTelemetry();
    const message = { id: 'a', topic: 'orders', headers: { traceparent: PARENT }, delivery: 2 };
    const handler = traced(
      async (given: typeof message, extra: number) => {
        raw.startSpan('charge').end();
        await Promise.resolve();
        raw.startSpan('post').end();
        assert.equal(given, message);
        return extra + 1;
      },
      tracer,
      { system: 'kafka', group: 'billing' },
    );
    assert.equal(await handler(message, 1), 2);
    await assert.rejects(
      traced(async () => Promise.reject(new RangeError('no')), tracer)(message),
      /no/,
    );

    // A worker's handler may return nothing, and throw at once.
    const job: (message: TraceableMessage) => Promise<void> | void = traced(() => {
      throw new Error('at once');
    }, tracer);
    await assert.rejects(async () => job(message), /at once/);

    const [charge, post, process, failed, atOnce] = spans();
    assert.equal(atOnce?.error, 'at once');
    assert.deepEqual(
      [charge?.parent, post?.parent, process?.parent, process?.links, process?.kind],
      [process?.spanId, process?.spanId, CALLER, [CALLER], 'CONSUMER'],
    );
    assert.deepEqual(process?.attributes, {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'orders',
      'messaging.message.id': 'a',
      'messaging.consumer.group.name': 'billing',
      'holdfast.delivery': 2,
    });
    assert.deepEqual([failed?.error, failed?.attributes['error.type']], ['no', 'RangeError']);
  });

  test('of a batch are one, linked to the hop before of each of its messages', async () => {
    const { tracer, spans } = openTelemetry();
    const batch = ['a', 'b', 'c'].map((id, index) => ({
      id,
      topic: 'orders',
      headers: (index === 1
        ? {}
        : { traceparent: `00-${TRACE}-00f067aa0ba902b${index + 1}-01` }) as Record<string, string>,
    }));
    const handler = async (messages: readonly TraceableMessage[]) => messages.length;
    assert.equal(await tracedBatch(handler, tracer)(batch), 3);
    const [span] = spans();
    assert.deepEqual(
      [span?.name, span?.parent, span?.links, span?.attributes['messaging.batch.message_count']],
      ['process orders', undefined, ['00f067aa0ba902b1', '00f067aa0ba902b3'], 3],
    );
    assert.equal(tracedBatch(handler, undefined), handler);
  });

  test('cost the message nothing when the tracer itself is broken', async () => {
    const boom = () => {
      throw new Error('boom');
    };
    const place = { traceId: TRACE, spanId: CALLER, sampled: true };
    const half: MessageTracer = { startSpan: () => ({ ...place, set: boom, end: boom }) };
    for (const tracer of [{ startSpan: boom }, half]) {
      const { published } = await relayed(tracer, {});
      assert.equal(published.length, 1);
      const outbox = await openOutbox({ store: memoryStore(), tracer });
      const twice = { id: 'a', topic: 'orders', body: 'x' };
      assert.equal((await outbox.accept([twice, twice]))[1]?.duplicate, true);
      const handler = traced(async () => 'done', tracer);
      assert.equal(await handler({ id: 'a', topic: 'b', headers: {} }), 'done');
    }
  });

  test('without a tracer nothing is wrapped and nothing is copied', async () => {
    const handler = async () => {};
    assert.equal(traced(handler, undefined), handler);
    const headers = { traceparent: 'rubbish' };
    assert.deepEqual((await relayed(undefined, headers)).published[0]?.headers, headers);
  });
});

/** One message through an outbox and its relay to a broker in memory. */
async function relayed(
  tracer: MessageTracer | undefined,
  headers: Record<string, string>,
): Promise<MemoryBroker> {
  const clock = new VirtualClock();
  const outbox = await openOutbox({
    store: memoryStore({ clock }),
    clock,
    ...(tracer && { tracer }),
  });
  const broker = { ...memoryBroker({ clock }), system: 'tin-can' };
  await outbox.accept([{ id: 'a', topic: 'orders', body: 'abc', headers }]);
  await clock.run(async () => {
    const relay = outbox.relay(broker);
    await clock.sleep(100);
    await relay.stop();
  });
  return broker;
}
