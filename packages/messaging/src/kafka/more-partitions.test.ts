import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import * as kafka from '@platformatic/kafka';
import { eventually } from '../testing/eventually.ts';
import { kafkaProblem, startKafka } from '../testing/servers/kafka-server.ts';
import { kafkaBroker } from './kafka-broker.ts';

const problem = await kafkaProblem();
if (problem !== undefined && process.env.CI === 'true') throw new Error(problem);

test('partitions that are added later are read from their beginning, by a group that began at the end as well', {
  skip: problem ?? false,
}, async (t) => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'holdfast-kafka-more-'));
  const server = await startKafka({ dataDir });
  const bootstrap = [`127.0.0.1:${server.port}`];
  const admin = new kafka.Admin({ clientId: 'a', bootstrapBrokers: bootstrap });
  const producer = new kafka.Producer({ clientId: 'p', bootstrapBrokers: bootstrap });
  const brokers = ['one', 'two'].map((clientId) =>
    kafkaBroker({
      ...{ kafka, bootstrap, clientId, initialOffset: 'latest' },
      ...{ partitionsMs: 1_000, sessionTimeoutMs: 6_000 },
    }),
  );
  t.after(async () => {
    await Promise.all([
      ...brokers.map((each) => each.close()),
      producer.close(true),
      admin.close(),
    ]);
    await server.kill();
    await rm(dataDir, { recursive: true, force: true });
  });
  await admin.createTopics({ topics: ['growing'], partitions: 1, replicas: 1 });
  const send = async (partition: number, text: string) => {
    const record = { topic: 'growing', partition, value: Buffer.from(text) };
    await producer.send({ messages: [record as kafka.MessageToProduce] });
  };
  await send(0, 'from before');

  const got: string[] = [];
  for (const broker of brokers) {
    await broker.subscribe('growing', { group: 'g' }, async ({ body }) => {
      got.push(Buffer.from(body).toString());
    });
  }
  await send(0, 'first');
  await admin.createPartitions({ topics: [{ name: 'growing', count: 3 }] });
  // The producer's own view of the topic is a few seconds old.
  const late = new kafka.Producer({ clientId: 'late', bootstrapBrokers: bootstrap });
  t.after(() => late.close(true));
  for (const partition of [1, 2]) {
    const record = { topic: 'growing', partition, value: Buffer.from(`in ${partition}`) };
    await late.send({ messages: [record as kafka.MessageToProduce] });
  }
  const wanted = ['first', 'in 1', 'in 2'];
  await eventually(
    () => [...new Set(got)].toSorted(),
    (here) => here.length >= wanted.length,
    'all have come',
  );
  assert.deepEqual([...new Set(got)].toSorted(), wanted);
});
