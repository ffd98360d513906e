import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { kafkaProblem, startKafka } from '@holdfast/messaging/testing/kafka';
import { until } from '@holdfast/test-servers';
import * as kafka from '@platformatic/kafka';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { findDaprd } from '../makes/daprd.ts';
import type { Seen } from '../makes/echo-app.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { event, eventApp } from './event-app.ts';

const problem = await kafkaProblem();
if (problem !== undefined) {
  if (process.env.CI === 'true') throw new Error(problem);
  test('pubsub.kafka', { skip: problem }, () => {});
} else {
  await bothMakes(conformance);
  const daprd = await findDaprd();
  if (daprd !== undefined) sharing(daprd);
}

/** Both makes write the same records into the same partitions, so that they can share a Kafka, and the events of a group. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, pubsub.kafka`, () => {
    const app = eventApp();
    let server: Server;
    let mesh: Mesh;
    let producer: kafka.Producer;
    before(async () => {
      server = await startServer();
      producer = new kafka.Producer({ clientId: 'p', bootstrapBrokers: [server.address] });
      mesh = await startMesh(executable, {
        instead: app.instead,
        resources: { 'kafka.yaml': component(server.address) },
      });
      await healthy(mesh);
    });
    after(async () => {
      await mesh?.stop();
      await producer.close(true);
      await server.remove();
    });

    const publish = async (topic: string, body: string, query = '') => {
      const to = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/broker/${topic}${query}`;
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(to, { method: 'POST', headers, body });
      return [answer.status, await answer.text()] as const;
    };
    const send = async (topic: string, value: Buffer | undefined, key = 'k') =>
      await producer.send({
        messages: [
          {
            topic,
            key: Buffer.from(key),
            ...(value === undefined ? {} : { value }),
            headers: new Map([[Buffer.from('mine'), Buffer.from('7')]]),
          } as kafka.MessageToProduce,
        ],
      });

    test('an event is a record: the key chooses its partition, the metadata are its headers', async (t) => {
      const next = await reader(t, server.address, 'layout');
      const keys = ['k1', 'customer-7', 'é', 'a', 'k3'];
      for (const key of keys) {
        const query = `?metadata.partitionKey=${encodeURIComponent(key)}&metadata.color=red`;
        assert.deepEqual(await publish('layout', '{"n":1}', query), [204, '']);
      }
      const records = await next(keys.length);
      const partitions = Object.fromEntries(
        records.map(({ key, partition }) => [String(key), partition]),
      );
      assert.deepEqual(partitions, { k1: 1, 'customer-7': 0, é: 0, a: 0, k3: 2 });
      const { headers, value } = records.find(({ key }) => String(key) === 'k1')!;
      assert.deepEqual(Array.from(headers, (pair) => pair.map(String)).toSorted(), [
        ['color', 'red'],
        ['partitionKey', 'k1'],
      ]);
      const { data, topic, source } = JSON.parse(String(value));
      assert.deepEqual([data, topic, source], [{ n: 1 }, 'layout', 'caller']);
    });

    test('the publisher may name the partition, one that there is', async (t) => {
      const next = await reader(t, server.address, 'layout');
      const to = (partition: string) =>
        publish('layout', '{}', `?metadata.partitionKey=k1&metadata.partitionNumber=${partition}`);
      assert.deepEqual(await to('2'), [204, '']);
      const [record] = await next(1);
      assert.equal(record?.partition, 2);
      const [status, text] = await to('3');
      assert.equal(status, 500);
      assert.match(text, /partition number 3 is out of range, topic has 3 partitions/);
      const [wrong, why] = await to('x');
      assert.equal(wrong, 500);
      assert.match(why, /invalid partitionNumber metadata value \\"x\\"/);
    });

    test('the raw text null is a tombstone', async (t) => {
      const next = await reader(t, server.address, 'layout');
      const query = '?metadata.rawPayload=true&metadata.partitionKey=k1';
      assert.deepEqual(await publish('layout', 'null', query), [204, '']);
      const [record] = await next(1);
      assert.ok(record?.value === null || record?.value === undefined);
    });

    test('what another wrote into the topic arrives, with its headers and where it lies', async () => {
      const seen = (await app.arrived('early', 0)).length;
      await send('early', Buffer.from(event('early')));
      const last = (await app.arrived('early', seen + 1)).at(-1)!;
      const { mine, __key, __topic, __offset, __partition } = last.headers;
      assert.deepEqual(
        [JSON.parse(last.body).data, mine, __key, __topic, __offset, Number(__partition) < 3],
        ['early', '7', 'k', 'early', '0', true],
      );
      assert.ok(Math.abs(Number(last.headers.__timestamp) - Date.now()) < 60_000);
    });

    test('what the application fails over is handed over again until it is taken', async () => {
      await publish('flaky', '1');
      const attempts = await app.arrived('flaky', 3);
      await sleep(1_000);
      assert.equal((await app.arrived('flaky', 3)).length, 3);
      assert.equal(new Set(attempts.map(({ body }) => JSON.parse(body).id)).size, 1);
    });

    for (const topic of ['dropped', 'unknown']) {
      test(`${topic}: what nobody will ever want is done with`, async () => {
        await publish(topic, '1');
        await app.arrived(topic, 1);
        await sleep(1_000);
        assert.equal((await app.arrived(topic, 1)).length, 1);
      });
    }

    test('a topic that cannot be and an event that is too large are refused', async () => {
      assert.equal((await publish('no%20topic', '1'))[0], 500);
      assert.equal((await publish('layout', JSON.stringify('x'.repeat(1_100_000))))[0], 500);
    });
  });
}

function sharing(daprd: string): void {
  test('sidecars of both makes share the events of one group', async (t) => {
    const server = await startServer();
    t.after(() => server.remove());
    const got: { make: string; n: number }[] = [];
    const start = async (make: Make, executable: string | undefined) => {
      const instead = ({ body, url }: Seen) => {
        if (url === '/dapr/subscribe') {
          const wanted = [{ pubsubname: 'broker', topic: 'shared', route: '/on-shared' }];
          return { status: 200, body: JSON.stringify(wanted) };
        }
        if (url !== '/on-shared') return undefined;
        got.push({ make, n: JSON.parse(body).data });
        return { status: 200, body: '' };
      };
      const resources = { 'kafka.yaml': component(server.address) };
      const mesh = await startMesh(executable, { instead, resources });
      t.after(() => mesh.stop());
      await healthy(mesh);
    };
    await start('daprd', daprd);
    await start('holdfast', undefined);
    const producer = new kafka.Producer({ clientId: 'p', bootstrapBrokers: [server.address] });
    t.after(() => producer.close(true));
    const send = (n: number) =>
      producer.send({
        messages: [
          {
            topic: 'shared',
            partition: n % 3,
            value: Buffer.from(event('x').replace('"data":"x"', `"data":${n}`)),
          } as kafka.MessageToProduce,
        ],
      });
    const makes = () => new Set(got.map(({ make }) => make));
    // Events that come while the group is being shared out may come twice.
    for (let n = -300; n < 0 && makes().size < 2; n += 1) {
      await send(300 + n);
      await sleep(100);
    }
    await sleep(1_000);
    got.length = 0;
    const numbers = Array.from({ length: 30 }, (_, n) => 1_000 + n);
    for (const n of numbers) await send(n);
    await until('all have come', () => got.length >= 30);
    await sleep(500);
    assert.deepEqual(
      got.map(({ n }) => n).toSorted((a, b) => a - b),
      numbers,
    );
    assert.deepEqual(makes(), new Set(['daprd', 'holdfast']));
  });
}

interface Server {
  readonly address: string;
  remove(): Promise<void>;
}

async function startServer(): Promise<Server> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'holdfast-kafka-'));
  const server = await startKafka({ dataDir });
  return {
    address: `127.0.0.1:${server.port}`,
    async remove() {
      await server.kill();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function healthy(mesh: Mesh): Promise<void> {
  const health = `http://127.0.0.1:${mesh.port('caller')}/v1.0/healthz`;
  await until('it is ready', async () => (await fetch(health)).ok);
}

/** Reads a topic from now on, past every group; gives so many of its next records. */
async function reader(t: TestContext, address: string, topic: string) {
  const groupId = `reader-${Math.random()}`;
  const consumer = new kafka.Consumer({ clientId: 'r', groupId, bootstrapBrokers: [address] });
  t.after(() => consumer.close(true));
  const stream = await consumer.consume({ topics: [topic], mode: 'latest' });
  const records: kafka.Message[] = [];
  stream.on('data', (record: kafka.Message) => records.push(record));
  await sleep(500);
  return async (count: number) => {
    await until(`${count} records are there`, () => records.length >= count);
    assert.equal(records.length, count);
    return records;
  };
}

const component = (address: string) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: broker }
spec:
  type: pubsub.kafka
  version: v1
  metadata:
    - { name: brokers, value: "${address}" }
    - { name: authType, value: none }
    - { name: initialOffset, value: oldest }
    - { name: backOffDuration, value: 200ms }
scopes: [caller]
`;
