import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import * as kafka from '@platformatic/kafka';
import { unknownTopic } from '../testing/bad-days/unknown-topic.ts';
import { eventually } from '../testing/eventually.ts';
import { type KafkaServer, kafkaProblem, startKafka } from '../testing/servers/kafka-server.ts';
import { kafkaBroker } from './kafka-broker.ts';

const problem = await kafkaProblem();
if (problem !== undefined && process.env.CI === 'true') {
  throw new Error(`On CI Apache Kafka must be there: ${problem}.`);
}
const skip = problem ?? false;

let dataDir: string | undefined;
let server: KafkaServer | undefined;
after(async () => {
  await server?.kill();
  if (dataDir !== undefined) await rm(dataDir, { recursive: true, force: true });
});

test('a group that has read further than the topic reaches, as after a log was lost, begins where the topic does', {
  skip,
}, async (t) => {
  const { admin, broker, got, publish, read } = await begin(t, 'lost');
  const first = await read();
  await publish('a', 'b', 'c');
  await eventually(
    () => got.length,
    (count) => count >= 3,
    'all are handled',
  );
  await first.close();
  const partitions = [{ partition: 0, offset: 1_000n }];
  await admin.alterConsumerGroupOffsets({
    groupId: 'lost',
    topics: [{ name: 'lost', partitionOffsets: partitions }],
  });
  await read();
  await publish('d');
  await eventually(
    () => got,
    (ids) => ids.includes('d'),
    'it goes on',
  );

  assert.deepEqual(got, ['a', 'b', 'c', 'a', 'b', 'c', 'd']);
  await broker.close();
});

test('a group whose next records the retention has taken goes on with the oldest there is', {
  skip,
}, async (t) => {
  const { admin, got, publish, read } = await begin(t, 'aged');
  const first = await read();
  await publish('a');
  await eventually(
    () => got.length,
    (count) => count >= 1,
    'it is handled',
  );
  await first.close();
  await publish('b', 'c', 'd');
  await admin.deleteRecords({
    topics: [{ name: 'aged', partitions: [{ partition: 0, offset: 3n }] }],
  });
  await read();
  await eventually(
    () => got,
    (ids) => ids.includes('d'),
    'it goes on',
  );

  assert.deepEqual(got, ['a', 'd']);
});

test('a topic that Kafka does not have, and may not make, is dead with the reason, once others have gone through', {
  skip,
}, async (t) => {
  const { bootstrap } = await begin(t, 'known');
  const options = { kafka, bootstrap, clientId: 'unknowing', autocreateTopics: false };
  const broker = kafkaBroker({ ...options, timeoutMs: 5_000 });
  t.after(() => broker.close());

  assert.match(
    await unknownTopic(t, broker, { known: 'known', unknown: 'unknown' }),
    /^lost: failed 5 times while other messages went through; .* Unknown topic unknown/,
  );
});

async function begin(t: TestContext, topic: string) {
  dataDir ??= await mkdtemp(join(tmpdir(), 'holdfast-kafka-'));
  server ??= await startKafka({ dataDir });
  const bootstrap = [`127.0.0.1:${server.port}`];
  const admin = new kafka.Admin({ clientId: 'admin', bootstrapBrokers: bootstrap });
  t.after(() => admin.close());
  await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
  const broker = kafkaBroker({ kafka, bootstrap, clientId: topic, reconnectMs: 100 });
  t.after(() => broker.close());
  const got: string[] = [];
  const problems: string[] = [];
  const onProblem = ({ error }: { readonly error: unknown }) => void problems.push(String(error));
  t.after(() => t.diagnostic(problems.slice(0, 5).join(' | ')));
  return {
    admin,
    bootstrap,
    broker,
    got,
    publish: (...ids: string[]) =>
      broker.publish(
        ids.map((id) => ({ id, topic, key: 'k', body: Buffer.from(id), headers: {} })),
      ),
    read: () =>
      broker.subscribe(topic, { group: topic, onProblem }, async ({ id }) => void got.push(id)),
  };
}
