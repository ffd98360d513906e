import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { Producer, stringSerializers } from '@platformatic/kafka';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { withKafka } from '../makes/with-kafka.ts';

/** How long Kafka lets a transaction be open; longer than any of this takes. */
const OPEN_MS = 300_000;

await withKafka('pubsub.kafka, transactions of producers', async (address) => {
  await bothMakes((make, executable) => conformance(make, executable, address));
});

function conformance(make: Make, executable: string | undefined, address: string): void {
  describe(`${make}, records of transactions`, () => {
    const topics = { undone: `${make}-undone`, open: `${make}-open` };
    const came = new Map<string, unknown[]>();
    const closing: (() => Promise<unknown>)[] = [];
    let mesh: AppMesh<'caller'>;
    before(async () => {
      const resources = {
        'broker.yaml': componentYaml('broker', 'pubsub.kafka', {
          ...{ brokers: address, authType: 'none', initialOffset: 'oldest', consumerGroup: make },
        }),
      };
      mesh = await startAppMesh(executable, { caller: { resources } }, undefined, (call) => {
        if (call.url === '/dapr/subscribe') {
          const wanted = Object.values(topics).map((topic) => ({
            ...{ pubsubname: 'broker', topic, route: `/on/${topic}` },
          }));
          return { status: 200, body: JSON.stringify(wanted) };
        }
        const topic = /^\/on\/(.+)$/.exec(call.url)?.[1];
        if (topic === undefined) return undefined;
        came.set(topic, [...(came.get(topic) ?? []), JSON.parse(call.body).data]);
        return { status: 200, body: '' };
      });
    });
    after(async () => {
      await mesh?.stop();
      for (const close of closing) await close();
    });

    const producer = (name: string, timeout = 5_000) => {
      const made = new Producer({
        ...{ clientId: name, bootstrapBrokers: [address], serializers: stringSerializers },
        ...{ transactionalId: `${make}-${name}`, idempotent: true, timeout },
      });
      closing.push(() => made.close(true));
      return made;
    };
    const record = (topic: string, data: string) => ({
      messages: [{ topic, key: 'k', value: JSON.stringify({ data }) }],
    });
    const publish = async (topic: string, data: string) => {
      const to = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/broker/${topic}?metadata.partitionKey=k`;
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(to, { method: 'POST', headers, body: JSON.stringify(data) });
      assert.equal(answer.status, 204, await answer.text());
    };
    const arrives = (topic: string, wanted: readonly string[]) =>
      until(
        () => `${wanted} come, and not ${came.get(topic)}`,
        () => (came.get(topic)?.length ?? 0) >= wanted.length,
      ).then(() => assert.deepEqual(came.get(topic), wanted));

    test('that were undone come like those that were not', async () => {
      await publish(topics.undone, 'before');
      const seed = producer('seed');
      for (const [data, ending] of [
        ['undone', 'abort'],
        ['done', 'commit'],
        ['undone again', 'abort'],
      ] as const) {
        const transaction = await seed.beginTransaction();
        await transaction.send(record(topics.undone, data));
        await transaction[ending]();
      }
      await publish(topics.undone, 'behind');
      await arrives(topics.undone, ['before', 'undone', 'done', 'undone again', 'behind']);
    });

    test('one that is still open holds up nobody', async () => {
      await publish(topics.open, 'before');
      const transaction = await producer('open', OPEN_MS).beginTransaction();
      await transaction.send(record(topics.open, 'open'));
      await publish(topics.open, 'behind');
      await arrives(topics.open, ['before', 'open', 'behind']);
      await transaction.abort();
    });
  });
}
