import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { until } from '@holdfast/test-servers';
import { MessageQueue } from '../../../packages/sidecar/src/grpc/wire/message-queue.ts';
import {
  InputBinding,
  PubSub,
  type PullMessagesResponse,
  PullMessagesResponseSchema,
  type ReadResponse,
  ReadResponseSchema,
} from '../../../packages/sidecar/src/pluggable/protos/components_pb.ts';
import { startComponent } from '../../../packages/sidecar/src/pluggable/testing/start-component.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startFlagged } from '../makes/flagged.ts';
import { heldApp } from '../makes/held-app.ts';

const LINGERING = { 'dapr-block-shutdown-duration': '2s' };

await bothMakes(conformance);

/** What a pluggable component hears of that which the application has in hand when the sidecar ends. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, pluggable components at the end`, () => {
    for (const [how, flags] of [
      ['ends', {}],
      ['lingers', LINGERING],
    ] as const) {
      test(`an input binding hears the answer of an event in hand, and that it is closed (${how})`, async (t) => {
        const { app, component, sidecar } = await start(t, executable, flags);
        component.events.put(event('1'));
        await app.called;
        sidecar.child.kill('SIGTERM');
        await until('it has heard', () => /shutting|Blocking|ending/i.test(sidecar.said()));
        await until('it is closed', async () => {
          component.events.put(event('2'));
          return component.heard.includes('2  input binding is closed');
        });
        assert.equal(component.heard.includes('1 hello '), false);
        app.release();
        assert.deepEqual(await sidecar.exited, [0, null]);
        assert.ok(component.heard.includes('1 hello '), component.heard.join('; '));
      });

      test(`a broker hears of an event in hand, and of no failure of those that come later (${how})`, async (t) => {
        const { app, component, sidecar } = await start(t, executable, flags);
        component.messages.put(message('first'));
        await app.called;
        sidecar.child.kill('SIGTERM');
        await until('it has heard', () => /shutting|Blocking|ending/i.test(sidecar.said()));
        component.messages.put(message('second'));
        app.release();
        assert.deepEqual(await sidecar.exited, [0, null]);
        // The second has come in time, or is for somebody else.
        assert.ok(['first ', 'first ;second '].includes(component.heard.join(';')));
      });
    }

    test('messages of a topic are in the application at once, as many as the broker hands over (daprd 1.18.0: one)', async (t) => {
      const { app, component } = await start(t, executable, {});
      for (const id of ['first', 'second', 'third']) component.messages.put(message(id));
      if (make === 'holdfast') await until('all are there', () => app.calls() === 3);
      else await app.called;
      assert.deepEqual(component.heard, []);
      app.release();
      await until('all are acknowledged', () => component.heard.length === 3);
      assert.deepEqual(component.heard.toSorted(), ['first ', 'second ', 'third ']);
    });

    test('a broker that can be paused is, and hears of what it had on its way', async (t) => {
      const { app, component, sidecar } = await start(t, executable, LINGERING, true);
      component.messages.put(message('first'));
      await app.called;
      sidecar.child.kill('SIGTERM');
      await until('it is paused', () => component.paused() > 0);
      component.messages.put(message('second'));
      app.release();
      assert.deepEqual(await sidecar.exited, [0, null]);
      assert.deepEqual(component.heard, ['first ', 'second ']);
      assert.equal(component.paused(), 1);
    });

    test('so it is where the sidecar does not linger; not by daprd', async (t) => {
      const { component, sidecar } = await start(t, executable, {}, true);
      sidecar.child.kill('SIGTERM');
      assert.deepEqual(await sidecar.exited, [0, null]);
      assert.equal(component.paused(), make === 'daprd' ? 0 : 1);
    });
  });
}

const event = (messageId: string) => create(ReadResponseSchema, { messageId });
const message = (id: string) =>
  create(PullMessagesResponseSchema, {
    id,
    topicName: 'news',
    data: Buffer.from('{"data":1,"id":"1","specversion":"1.0"}'),
  });

const RESOURCES = {
  'all.yaml': [
    [
      'Component',
      'inbox',
      'spec: { type: bindings.mine, version: v1, metadata: [{ name: direction, value: input }] }',
    ],
    ['Component', 'bus', 'spec: { type: pubsub.mine, version: v1 }'],
    ['Subscription', 'sub', 'spec: { pubsubname: bus, topic: news, route: /news }'],
  ]
    .map(
      ([kind, name, spec]) =>
        `apiVersion: dapr.io/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\n${spec}\n`,
    )
    .join('---\n'),
};

async function start(
  t: TestContext,
  executable: string | undefined,
  given: object,
  pausable = false,
) {
  const heard: string[] = [];
  const events = new MessageQueue<ReadResponse>(1_000);
  const messages = new MessageQueue<PullMessagesResponse>(1_000);
  let paused = 0;
  const { folder } = await startComponent(t, 'mine', [InputBinding, PubSub], (router) => {
    router.service(InputBinding, {
      init: () => ({}),
      async *read(requests) {
        void listen(requests, ({ messageId, responseData, responseError }) => {
          heard.push(`${messageId} ${Buffer.from(responseData)} ${responseError?.message ?? ''}`);
        });
        yield* events;
      },
    });
    router.service(PubSub, {
      init: () => ({}),
      features: () => ({}),
      ...(pausable && {
        pause() {
          paused += 1;
          return {};
        },
      }),
      async *pullMessages(requests) {
        void listen(requests, ({ ackError, ackMessageId, topic }) => {
          if (topic === undefined) heard.push(`${ackMessageId} ${ackError?.message ?? ''}`);
        });
        yield* messages;
      },
    });
  });
  const app = await heldApp(t, {
    answers: { '/inbox': { body: 'hello' }, '/news': { body: '{}' } },
  });
  const sidecar = await startFlagged(executable, {
    flags: { 'app-port': app.port, 'dapr-graceful-shutdown-seconds': 30, ...given },
    env: { DAPR_COMPONENTS_SOCKETS_FOLDER: folder },
    resources: RESOURCES,
  });
  t.after(() => sidecar.stop());
  return { app, component: { events, messages, heard, paused: () => paused }, sidecar };
}

/** Until the stream breaks, which is how the sidecar ends it. */
async function listen<T>(requests: AsyncIterable<T>, take: (request: T) => void): Promise<void> {
  try {
    for await (const request of requests) take(request);
  } catch {}
}
