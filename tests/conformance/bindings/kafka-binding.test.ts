import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@holdfast/test-servers';
import * as kafka from '@platformatic/kafka';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { type EchoApp, type Seen, startEchoApp } from '../makes/echo-app.ts';
import { type Running, startOne } from '../makes/one-sidecar.ts';
import { withKafka } from '../makes/with-kafka.ts';

await withKafka('bindings.kafka', async (address) => {
  await bothMakes((make, executable) => conformance(make, executable, address));
});

function conformance(make: Make, executable: string | undefined, address: string): void {
  describe(`${make}, bindings.kafka`, () => {
    const named = (topic: string) => `${make}-${topic}`;
    const seen: Seen[] = [];
    const records: kafka.Message[] = [];
    let folder: string;
    let app: EchoApp;
    let sidecar: Running;
    let producer: kafka.Producer;
    let consumer: kafka.Consumer;
    before(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'holdfast-kafka-binding-'));
      const common = { brokers: address, authType: 'none', initialOffset: 'oldest' };
      const bindings = {
        both: {
          ...{ ...common, publishTopic: named('out'), topics: `${named('one')},${named('two')}` },
          consumerGroup: `${make}-both`,
        },
        stubborn: {
          ...{ ...common, topics: named('three'), direction: 'input', route: '/routed' },
          ...{ consumerGroup: `${make}-stubborn`, consumeRetryEnabled: 'true' },
          ...{ backOffDuration: '100ms' },
        },
        ordered: {
          ...{ ...common, topics: named('four'), direction: 'input' },
          ...{ consumerGroup: `${make}-ordered`, consumeRetryEnabled: 'true' },
          ...{ backOffPolicy: 'Constant', backOffDuration: '20ms' },
        },
        unwanted: {
          ...{ ...common, topics: named('one'), consumerGroup: `${make}-unwanted` },
        },
      };
      for (const [name, metadata] of Object.entries(bindings)) {
        await writeFile(path.join(folder, `${name}.yaml`), component(name, metadata));
      }
      app = await startEchoApp((request) => {
        const { body, method, url } = request;
        if (method === 'OPTIONS') return { status: url === '/unwanted' ? 404 : 200, body: '' };
        if (!['/both', '/routed', '/ordered', '/unwanted'].includes(url)) return undefined;
        const times = seen.filter((one) => one.body === body && one.url === url).length;
        seen.push(request);
        return { status: body.includes('fail') && times < 2 ? 500 : 200, body: '' };
      });
      const start = { role: 'bound', appPort: app.port, resources: folder, configs: [] };
      sidecar = await startOne(executable, { ...start, secured: false });
      const client = { bootstrapBrokers: [address], autocreateTopics: true };
      producer = new kafka.Producer({ ...client, clientId: 'p' });
      consumer = new kafka.Consumer({ ...client, clientId: 'r', groupId: `reader-${make}` });
      const mode = kafka.MessagesStreamModes.EARLIEST;
      const stream = await consumer.consume({ topics: [named('out')], mode });
      stream.on('data', (record: kafka.Message) => records.push(record));
    });
    after(async () => {
      await sidecar?.stop();
      await producer?.close(true);
      await consumer?.close(true);
      await app.close();
      await rm(folder, { recursive: true, force: true });
    });

    const invoke = async (name: string, request: object) => {
      const to = `http://127.0.0.1:${sidecar.ports.http}/v1.0/bindings/${name}`;
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify(request);
      const answer = await fetch(to, { method: 'POST', headers, body });
      return [answer.status, await answer.text()] as const;
    };
    const send = async (topic: string, text: string) => {
      const headers = new Map([[Buffer.from('Mine'), Buffer.from('7')]]);
      const record = {
        topic: named(topic),
        key: Buffer.from('k'),
        value: Buffer.from(text),
        headers,
      };
      await producer.send({ messages: [record as kafka.MessageToProduce] });
    };
    const bodies = (url: string) => seen.filter((one) => one.url === url).map(({ body }) => body);

    test('what is created is a record, with a key and headers', async () => {
      const metadata = { partitionKey: 'k1', color: 'red' };
      const request = { operation: 'create', data: { n: 1 }, metadata };
      assert.deepEqual(await invoke('both', request), [204, '']);
      await until('it is there', () => records.length > 0);
      const [{ headers, key, partition, value }] = records as [kafka.Message];
      assert.deepEqual([String(key), partition, String(value)], ['k1', 1, '{"n":1}']);
      const own = Array.from(headers, (pair) => pair.map(String)).filter(
        // daprd has one of zeros where there is no trace.
        ([name]) => name !== 'traceparent',
      );
      assert.deepEqual(own.toSorted(), [
        ['color', 'red'],
        ['partitionKey', 'k1'],
      ]);
    });

    test('no other operation is known, and one without a topic publishes nothing', async () => {
      const [status, text] = await invoke('both', { operation: 'get' });
      assert.equal(status, 500);
      assert.match(text, /does not support operation get\. supported operations:create/);
      assert.equal((await invoke('unwanted', { operation: 'create', data: 1 }))[0], 500);
      assert.match((await invoke('stubborn', { operation: 'create' }))[1], /couldn't find output/);
    });

    test('records of all its topics come to the application, with where they lie', async () => {
      await send('one', '{"a":1}');
      await send('two', 'text');
      await until('both have come', () => bodies('/both').length >= 2);
      assert.deepEqual(bodies('/both').toSorted(), ['text', '{"a":1}']);
      const { headers } = seen.find(({ body }) => body === 'text')!;
      const { __key, __offset, __topic, mine } = headers;
      assert.deepEqual([__key, __offset, __topic, mine], ['k', '0', named('two'), '7']);
    });

    test('what the application fails over is not handed over again, unless the metadata say so', async () => {
      await send('one', 'fail 1');
      await send('one', 'next 1');
      await until('the next has come', () => bodies('/both').includes('next 1'));
      await send('three', 'fail 3');
      await send('three', 'next 3');
      await until('the next has come', () => bodies('/routed').includes('next 3'));
      await sleep(500);
      assert.deepEqual(
        bodies('/both').filter((body) => body.endsWith('1')),
        ['fail 1', 'next 1'],
      );
      assert.deepEqual(bodies('/routed'), ['fail 3', 'fail 3', 'fail 3', 'next 3']);
    });

    test('records of a key come in their order, also where some fail at first', async () => {
      const sent = Array.from({ length: 100 }, (_, n) => `${n % 10 === 5 ? 'fail' : 'take'} ${n}`);
      for (const text of sent) await send('four', text);
      await until('the last has come', () => bodies('/ordered').includes('take 99'));
      const thrice = sent.flatMap((text) => Array<string>(text.startsWith('f') ? 3 : 1).fill(text));
      assert.deepEqual(bodies('/ordered'), thrice);
    });

    test('an application that does not want it is told nothing', () => {
      assert.deepEqual(bodies('/unwanted'), []);
    });
  });
}

const component = (name: string, metadata: Readonly<Record<string, string>>): string =>
  componentYaml(name, 'bindings.kafka', metadata);
