import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import type { SubscribeTopicEventsRequestAlpha1 } from '../../../packages/sidecar/src/grpc/protos/pubsub_pb.ts';
import { RPC_COMPONENTS } from '../cases/grpc.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { daprClient, outcome } from '../makes/grpc-client.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';

type Request = SubscribeTopicEventsRequestAlpha1['subscribeTopicEventsRequestType'];

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, subscriptions in a stream`, () => {
    let mesh: Mesh;
    before(async () => {
      mesh = await startMesh(executable, {
        resources: { 'rpc.yaml': RPC_COMPONENTS, 'rpc-secrets.json': '{}' },
      });
    });
    after(() => mesh.stop());
    const open = (initial: object | undefined) => {
      const ending = new AbortController();
      const answers: Request[] = [];
      const waiting: (() => void)[] = [];
      async function* requests() {
        const first =
          initial === undefined
            ? { case: undefined }
            : { case: 'initialRequest' as const, value: initial };
        yield { subscribeTopicEventsRequestType: first as never };
        for (;;) {
          const next = answers.shift();
          if (next !== undefined) yield { subscribeTopicEventsRequestType: next as never };
          else await new Promise<void>((resolve) => waiting.push(resolve));
        }
      }
      const client = daprClient(mesh.grpcPort('caller'));
      const { signal } = ending;
      const stream = client.subscribeTopicEventsAlpha1(requests(), { signal });
      return {
        events: stream[Symbol.asyncIterator](),
        answer(id: string, status: number) {
          answers.push({ case: 'eventProcessed', value: { id, status: { status } } as never });
          waiting.shift()?.();
        },
        /** Says a second time what is wanted. */
        again() {
          answers.push({ case: 'initialRequest', value: initial as never });
          waiting.shift()?.();
        },
        end: () => ending.abort(),
      };
    };
    const publish = (topic: string, text: string) =>
      daprClient(mesh.grpcPort('caller')).publishEvent({
        pubsubName: 'bus',
        topic,
        data: Buffer.from(text),
        dataContentType: 'application/json',
      });

    for (const [name, initial, want] of [
      ['no word of what is wanted', undefined, { code: 2, message: 'initial request is required' }],
      ['no broker', { topic: 't' }, { code: 2, message: 'pubsubName is required' }],
      ['no topic', { pubsubName: 'bus' }, { code: 2, message: 'topic is required' }],
      [
        'a broker that is not there',
        { pubsubName: 'nowhere', topic: 't' },
        {
          code: 3,
          message: 'pubsub nowhere is not found',
          details: [{ reason: 'DAPR_PUBSUB_NOT_FOUND', domain: 'dapr.io', metadata: {} }],
        },
      ],
      [
        'a topic that is not for this app',
        { pubsubName: 'bus', topic: 'closed' },
        {
          code: 2,
          message:
            "failed to create subscription for bus: subscription to topic 'closed' on pubsub 'bus' is not allowed",
        },
      ],
    ] as const) {
      test(name, async () => {
        const { events, end } = open(initial);
        assert.deepEqual(await outcome(() => events.next()), want);
        end();
      });
    }

    test('who says twice what is wanted loses the stream', async () => {
      const { again, end, events } = open({ pubsubName: 'bus', topic: 'again' });
      await events.next();
      again();
      const want = { code: 2, message: 'duplicate initial request received' };
      assert.deepEqual(await outcome(() => events.next()), want);
      end();
    });

    test('a dead letter comes by the topic of the dead letters', async () => {
      const lost = open({ pubsubName: 'bus', topic: 'lost', deadLetterTopic: 'graves' });
      const graves = open({ pubsubName: 'bus', topic: 'graves' });
      await Promise.all([lost.events.next(), graves.events.next()]);
      await publish('lost', '{"n":1}');
      const first = (await lost.events.next()).value?.subscribeTopicEventsResponseType;
      assert.ok(first?.case === 'eventMessage');
      lost.answer(first.value.id, 2);
      const second = (await graves.events.next()).value?.subscribeTopicEventsResponseType;
      assert.ok(second?.case === 'eventMessage');
      graves.answer(second.value.id, 0);
      assert.deepEqual([first.value.topic, second.value.topic], ['lost', 'graves']);
      lost.end();
      graves.end();
    });

    test('events come in the stream, and the metadata shows who listens', async () => {
      const { answer, events, end } = open({ pubsubName: 'bus', topic: 'news' });
      const first = (await events.next()).value?.subscribeTopicEventsResponseType;
      await publish('news', '{"n":1}');
      const second = (await events.next()).value?.subscribeTopicEventsResponseType;
      assert.ok(second?.case === 'eventMessage');
      const { data, id, path, pubsubName, topic, type } = second.value;
      answer(id, 0);
      const { subscriptions } = await daprClient(mesh.grpcPort('caller')).getMetadata({});
      end();
      assert.deepEqual(
        [
          first?.case,
          Buffer.from(data).toString(),
          path,
          pubsubName,
          topic,
          type,
          // daprd shows a stream that has ended for a moment.
          subscriptions.filter((one) => one.topic === 'news').map((one) => [one.topic, one.type]),
        ],
        ['initialResponse', '{"n":1}', '/', 'bus', 'news', 'com.dapr.event.sent', [['news', 3]]],
      );
    });

    test('what the client does not want goes to the dead letter topic', async () => {
      const dead = open({ pubsubName: 'bus', topic: 'graves' });
      const { answer, events, end } = open({
        pubsubName: 'bus',
        topic: 'unwanted',
        deadLetterTopic: 'graves',
      });
      await dead.events.next();
      await events.next();
      await publish('unwanted', '{"n":2}');
      const event = (await events.next()).value?.subscribeTopicEventsResponseType;
      assert.ok(event?.case === 'eventMessage');
      answer(event.value.id, 2);
      const buried = (await dead.events.next()).value?.subscribeTopicEventsResponseType;
      assert.ok(buried?.case === 'eventMessage');
      dead.answer(buried.value.id, 0);
      end();
      dead.end();
      assert.equal(Buffer.from(buried.value.data).toString(), '{"n":2}');
    });

    test('a stream that has ended is no subscription any more', async () => {
      const { events, end } = open({ pubsubName: 'bus', topic: 'brief' });
      await events.next();
      end();
      const listed = async () => {
        const { subscriptions } = await daprClient(mesh.grpcPort('caller')).getMetadata({});
        return subscriptions.some(({ topic }) => topic === 'brief');
      };
      await until('it is listed no more', async () => !(await listed()));
    });
  });
}
