import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as kafka from '@platformatic/kafka';
import { type BrokerUnderTest, brokerContract } from '../testing/broker-contract.ts';
import { eventually } from '../testing/eventually.ts';
import { type KafkaServer, kafkaProblem, startKafka } from '../testing/kafka-server.ts';
import { kafkaBroker } from './kafka-broker.ts';
import { messageOf } from './records.ts';

const problem = await kafkaProblem();
if (problem !== undefined && process.env.CI === 'true') {
  throw new Error(`On CI Apache Kafka must be there: ${problem}.`);
}

let dataDir: string | undefined;
let server: Promise<KafkaServer> | undefined;
after(async () => {
  await (await server)?.kill();
  if (dataDir !== undefined) await rm(dataDir, { recursive: true, force: true });
});

brokerContract(
  'kafkaBroker',
  async (): Promise<BrokerUnderTest> => {
    const { port } = await running();
    return {
      connect: (clientId) =>
        kafkaBroker({ kafka, bootstrap: [`127.0.0.1:${port}`], clientId, reconnectMs: 200 }),
      tooLargeBytes: 1_100_000,
      kill: async () => (await server)?.kill(),
      async start() {
        server = startKafka({ dataDir: dataDir ?? '', port });
        await server;
      },
    };
  },
  // Topics made by use have one partition, which is one lane; the test below has two.
  { skip: problem ?? false, parallel: false },
);

test('a message that fails holds its partition, and no other', {
  skip: problem ?? false,
}, async (t) => {
  const { port } = await running();
  const bootstrap = [`127.0.0.1:${port}`];
  const admin = new kafka.Admin({ clientId: 'admin', bootstrapBrokers: bootstrap });
  await admin.createTopics({ topics: ['two-lanes'], partitions: 2, replicas: 1 });
  await admin.close();
  const broker = kafkaBroker({ kafka, bootstrap, clientId: 'lanes' });
  t.after(() => broker.close());
  const handled: string[] = [];
  const options = { group: 'lanes', redeliverMs: 10, maxRedeliverMs: 10 };
  await broker.subscribe('two-lanes', options, async ({ id }) => {
    // With eight keys some lie in the other partition.
    if (id === 'first' && handled.length === 0) throw new Error('not before another');
    handled.push(id);
  });

  const body = Buffer.from('x');
  const keys = Array.from({ length: 8 }, (_, n) => `key-${n}`);
  await broker.publish([{ id: 'first', topic: 'two-lanes', key: 'key-0', body, headers: {} }]);
  await broker.publish(
    keys.map((key) => ({ id: key, topic: 'two-lanes', key, body, headers: {} })),
  );
  await eventually(
    () => handled.length,
    (count) => count >= 9,
    'all are handled',
  );

  const behind = handled.indexOf('key-0');
  assert.deepEqual(
    { all: new Set(handled), order: handled.indexOf('first') < behind },
    { all: new Set(['first', ...keys]), order: true },
  );
});

test('a record of another producer is named by where it lies', () => {
  const record = { topic: 't', partition: 3, offset: 12n, key: null, value: null };
  const commit = () => {};

  assert.equal(messageOf({ ...record, headers: new Map(), commit }).id, 't/3/12');
});

async function running(): Promise<KafkaServer> {
  dataDir ??= await mkdtemp(join(tmpdir(), 'holdfast-kafka-'));
  server ??= startKafka({ dataDir });
  return server;
}
