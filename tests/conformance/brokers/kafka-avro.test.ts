import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import * as kafka from '@platformatic/kafka';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { type EchoApp, startEchoApp } from '../makes/echo-app.ts';
import { type Running, startOne } from '../makes/one-sidecar.ts';
import { withKafka } from '../makes/with-kafka.ts';
import { KEY, type Registry, SECRET, startRegistry } from './schema-registry.ts';

const ORDER = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'note', type: ['null', 'string'], default: null },
    { name: 'size', type: { type: 'enum', name: 'Size', symbols: ['S', 'L'] }, default: 'L' },
  ],
};

/** An envelope as both makes write it, as far as a schema has to know it. */
const CLOUD_EVENT = {
  type: 'record',
  name: 'Event',
  fields: [
    ...['id', 'source', 'specversion', 'type', 'datacontenttype', 'topic', 'pubsubname'],
    ...['traceid', 'traceparent', 'tracestate', 'time'],
  ].map((name) => ({ name, type: 'string', default: '' }) as object),
};
CLOUD_EVENT.fields.push({ name: 'data', type: ORDER });

const one = (type: unknown) => ({ type: 'record', name: 'One', fields: [{ name: 'v', type }] });
const when = { type: 'long', logicalType: 'timestamp-millis' };

/** What is published, and how it lies in Kafka behind the schema's id. */
const LYING: readonly (readonly [schema: object, text: string, hex: string])[] = [
  [ORDER, '{"id":1}', '020002'],
  [ORDER, '{"size":"S","note":"é","id":-1}', '010204c3a900'],
  [one('long'), '{"v":9223372036854775807}', 'feffffffffffffffff01'],
  [one(['null', 'long', 'double']), '{"v":1}', '04000000000000f03f'],
  [one(['null', 'int', 'long']), '{"v":3000000000}', '0480f882ad16'],
  [one(['bytes', 'string']), '{"v":"a"}', '000261'],
  [one(['string', 'bytes']), '{"v":"a"}', '000261'],
  [one('bytes'), '{"v":"a\\u00e9"}', '0461e9'],
  [one('bytes'), '{"v":"é"}', '04c3a9'],
  [one({ type: 'map', values: 'boolean' }), '{"v":{"k":true}}', '02026b0100'],
  [one({ type: 'array', items: 'float' }), '{"v":[0.5,1e999]}', '040000003f0000807f00'],
  [one(['null', when]), '{"v":5}', '020a'],
];

/** What lies in Kafka, and what the application reads of it. */
const READ: readonly (readonly [schema: object, hex: string, text: string])[] = [
  [one('string'), '08c3a92f0a', '{"v":"\\u00E9\\/\\n"}'],
  [one('string'), '08f09f9880', '{"v":"\\uD83D\\uDE00"}'],
  [one('bytes'), '0461e9', '{"v":"a\\u00E9"}'],
  [one('double'), '0000000080842e41', '{"v":1e+06}'],
  [one('float'), 'cdcccc3d', '{"v":0.1}'],
  [one('double'), '000000000000f0ff', '{"v":-1e999}'],
  [one('long'), 'feffffffffffffffff01', '{"v":9223372036854775807}'],
  [one(['null', 'string']), '020261', '{"v":"a"}'],
  [one(['null', when]), '020a', '{"v":5}'],
  [one({ type: 'fixed', name: 'F', size: 2 }), '00ff', '{"v":"\\u0000\\u00FF"}'],
];

await withKafka('pubsub.kafka with schemas', async (address) => {
  const registry = await startRegistry();
  after(() => registry.stop());
  await bothMakes((make, executable) => conformance(make, executable, address, registry));
});

function conformance(
  make: Make,
  executable: string | undefined,
  address: string,
  registry: Registry,
): void {
  describe(`${make}, pubsub.kafka with schemas`, () => {
    const named = (topic: string) => `${make}-${topic}`;
    const got = new Map<string, string[]>();
    const records = new Map<string, kafka.Message[]>();
    const wanted = [
      ...READ.map((_, at) => [`read-${at}`, 'true'] as const),
      ...([['raw', 'true'] as const, ['events', 'false'] as const] as const),
    ];
    let folder: string;
    let app: EchoApp;
    let sidecar: Running;
    let producer: kafka.Producer;
    let consumer: kafka.Consumer;

    before(async () => {
      registry.register(`${named('raw')}-value`, ORDER);
      registry.register(`${named('events')}-value`, CLOUD_EVENT);
      for (const [at, [schema]] of LYING.entries()) {
        registry.register(`${named(`lying-${at}`)}-value`, schema);
      }
      folder = await mkdtemp(path.join(tmpdir(), 'holdfast-avro-'));
      const common = { brokers: address, authType: 'none', initialOffset: 'oldest' };
      const metadata = {
        plain: { ...common, schemaRegistryURL: registry.url },
        locked: {
          ...{ ...common, schemaRegistryURL: `${registry.url}/locked`, useAvroJSON: 'true' },
          ...{ schemaRegistryAPIKey: KEY, schemaRegistryAPISecret: SECRET },
        },
        impatient: { ...common, schemaRegistryURL: registry.url, schemaCachingEnabled: 'false' },
        brief: {
          ...{ ...common, schemaRegistryURL: registry.url },
          schemaLatestVersionCacheTTL: '1ms',
        },
        without: common,
      };
      for (const [name, items] of Object.entries(metadata)) {
        const text = component(name, { consumerGroup: `${make}-${name}`, ...items });
        await writeFile(path.join(folder, `${name}.yaml`), text);
      }
      app = await startEchoApp(({ body, url }) => {
        if (url === '/dapr/subscribe') {
          const all = wanted.map(([topic, rawPayload]) => ({
            ...{ pubsubname: 'plain', topic: named(topic), route: `/on-${topic}` },
            metadata: { valueSchemaType: 'Avro', rawPayload },
          }));
          return { status: 200, body: JSON.stringify(all) };
        }
        const topic = /^\/on-(.+)$/.exec(url)?.[1];
        if (topic === undefined) return undefined;
        got.set(topic, [...(got.get(topic) ?? []), body]);
        return { status: 200, body: '' };
      });
      const start = { role: 'schemas', appPort: app.port, resources: folder, configs: [] };
      sidecar = await startOne(executable, { ...start, secured: false });
      producer = new kafka.Producer({
        ...{ clientId: 'p', bootstrapBrokers: [address], autocreateTopics: true },
      });
      consumer = new kafka.Consumer({
        ...{ clientId: 'r', groupId: `reader-${make}`, bootstrapBrokers: [address] },
        autocreateTopics: true,
      });
      const topics = LYING.map((_, at) => named(`lying-${at}`));
      const mode = kafka.MessagesStreamModes.EARLIEST;
      const stream = await consumer.consume({ topics: [...topics, named('raw')], mode });
      stream.on('data', (record: kafka.Message) => {
        records.set(record.topic, [...(records.get(record.topic) ?? []), record]);
      });
    });
    after(async () => {
      await sidecar?.stop();
      await producer?.close(true);
      await consumer?.close(true);
      await app.close();
      await rm(folder, { recursive: true, force: true });
    });

    const publish = async (
      topic: string,
      body: string,
      { broker = 'plain', raw = true, type = 'Avro' } = {},
    ) => {
      const query = `metadata.rawPayload=${raw}&metadata.valueSchemaType=${type}`;
      const to = `http://127.0.0.1:${sidecar.ports.http}/v1.0/publish/${broker}/${named(topic)}?${query}`;
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(to, { method: 'POST', headers, body });
      return [answer.status, await answer.text()] as const;
    };
    const lies = async (topic: string, count = 1) => {
      await until(`${topic} has ${count}`, () => (records.get(named(topic)) ?? []).length >= count);
      const { value } = records.get(named(topic))!.at(-1)!;
      return value as Buffer | null;
    };
    const read = async (topic: string, count = 1) => {
      await until(`${topic} has ${count}`, () => (got.get(topic) ?? []).length >= count);
      const { data_base64 } = JSON.parse(got.get(topic)!.at(-1)!) as { data_base64: string };
      return Buffer.from(data_base64, 'base64').toString();
    };

    for (const [at, [schema, text, hex]] of LYING.entries()) {
      test(`${text} lies as ${hex}, behind a zero and the id of its schema`, async () => {
        assert.deepEqual(await publish(`lying-${at}`, text), [204, '']);
        const value = (await lies(`lying-${at}`))!;
        assert.equal(value[0], 0);
        assert.equal(value.subarray(5).toString('hex'), hex, JSON.stringify(schema));
        const id = value.readUInt32BE(1);
        const known = await (await fetch(`${registry.url}/schemas/ids/${id}`)).json();
        assert.deepEqual(JSON.parse((known as { schema: string }).schema), schema);
      });
    }

    for (const [at, [schema, hex, text]] of READ.entries()) {
      test(`${hex} is read as ${text}`, async () => {
        const head = Buffer.alloc(5);
        head.writeUInt32BE(registry.register(`read-${at}-value`, schema), 1);
        const value = Buffer.concat([head, Buffer.from(hex, 'hex')]);
        const record = { topic: named(`read-${at}`), key: Buffer.from('k'), value };
        await producer.send({ messages: [record as kafka.MessageToProduce] });
        assert.equal(await read(`read-${at}`), text);
      });
    }

    test('an event goes through Kafka and comes to the application as it was', async () => {
      assert.deepEqual(await publish('raw', '{"id":7,"note":"n","size":"S"}'), [204, '']);
      assert.deepEqual(JSON.parse(await read('raw')), { id: 7, note: 'n', size: 'S' });
    });

    test('an envelope has its schema too, where it is not raw', async () => {
      const order = { id: 7, note: 'n', size: 'S' };
      const [status, said] = await publish('events', JSON.stringify(order), { raw: false });
      assert.equal(status, 204, said);
      await until('it comes', () => got.has('events'));
      assert.deepEqual(JSON.parse(got.get('events')![0]!).data, order);
    });

    test('a tombstone has no schema', async () => {
      const before = (records.get(named('raw')) ?? []).length;
      const came = (got.get('raw') ?? []).length;
      assert.deepEqual(await publish('raw', 'null'), [204, '']);
      assert.equal((await lies('raw', before + 1)) ?? undefined, undefined);
      assert.equal(await read('raw', came + 1), 'null');
    });

    const refused: readonly (readonly [
      string,
      string,
      RegExp,
      { broker?: string; type?: string }?,
    ])[] = [
      ['raw', '{"id":1,"x":2}', /cannot decode textual record/],
      ['raw', '{}', /only found \d of 3 fields/],
      ['raw', '{"id":"a"}', /for key: \\"id\\"/],
      ['nowhere', '{"id":1}', /40401/],
      ['raw', '{"id":1}', /schema registry details not set/, { broker: 'without' }],
      ['raw', '{"id":1}', /'xml' is not a supported value/, { type: 'xml' }],
    ];
    for (const [topic, text, why, how] of refused) {
      test(`refused: ${text} in ${topic}, ${why}`, async () => {
        const [status, said] = await publish(topic, text, how);
        assert.equal(status, 500);
        assert.match(said, why);
      });
    }

    test('of many at once all are written in their schema, or none is', async () => {
      const before = (records.get(named('raw')) ?? []).length;
      const many = async (events: readonly object[]) => {
        const entries = events.map((event, at) => ({
          ...{ entryId: String(at), event, contentType: 'application/json' },
        }));
        const query = 'metadata.rawPayload=true&metadata.valueSchemaType=Avro';
        const to = `http://127.0.0.1:${sidecar.ports.http}/v1.0-alpha1/publish/bulk/plain/${named('raw')}?${query}`;
        const headers = { 'content-type': 'application/json' };
        const body = JSON.stringify(entries);
        const answer = await fetch(to, { method: 'POST', headers, body });
        return [answer.status, await answer.text()] as const;
      };
      const [status, said] = await many([{ id: 1 }, { wrong: 1 }]);
      assert.equal(status, 500);
      const { failedEntries } = JSON.parse(said) as { failedEntries: { entryId: string }[] };
      assert.deepEqual(failedEntries.map(({ entryId }) => entryId).toSorted(), ['0', '1']);
      assert.deepEqual(await many([{ id: 1 }, { id: 2 }]), [204, '']);
      await lies('raw', before + 2);
      assert.equal(records.get(named('raw'))!.length, before + 2);
    });

    test('useAvroJSON wants branches named, at a registry that is signed in at', async () => {
      const before = (records.get(named('raw')) ?? []).length;
      const broker = 'locked';
      assert.equal((await publish('raw', '{"id":1,"note":"n"}', { broker }))[0], 500);
      const text = '{"id":1,"note":{"string":"n"}}';
      assert.deepEqual(await publish('raw', text, { broker }), [204, '']);
      assert.equal((await lies('raw', before + 1))!.subarray(5).toString('hex'), '0202026e02');
    });

    test('without a cache the registry is asked each time, and a newer schema counts', async () => {
      const subject = `${named('raw')}-value`;
      const at = `/subjects/${subject}/versions/latest`;
      const broker = 'impatient';
      const before = (records.get(named('raw')) ?? []).length;
      const asked = registry.asked(at);
      await publish('raw', '{"id":1}', { broker });
      await publish('raw', '{"id":1}', { broker });
      assert.equal(registry.asked(at), asked + 2);
      const newer = registry.register(subject, { ...ORDER, fields: ORDER.fields.slice(0, 1) });
      await publish('raw', '{"id":1}', { broker });
      assert.equal((await lies('raw', before + 3))!.readUInt32BE(1), newer);
    });
    test('a newer schema counts when the time of the one in hand is over; daprd never asks again', async () => {
      const broker = 'brief';
      const before = (records.get(named('raw')) ?? []).length;
      const older = registry.register(`${named('raw')}-value`, ORDER);
      await publish('raw', '{"id":1}', { broker });
      const newer = registry.register(`${named('raw')}-value`, ORDER);
      await publish('raw', '{"id":1}', { broker });
      const value = (await lies('raw', before + 2))!;
      assert.equal(value.readUInt32BE(1), make === 'daprd' ? older : newer);
    });
  });
}

const component = (name: string, metadata: Readonly<Record<string, string>>): string =>
  componentYaml(name, 'pubsub.kafka', metadata);
