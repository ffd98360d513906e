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

test('what a producer undid is handed over to those who read what is not committed, and to nobody else', {
  skip: problem ?? false,
}, async (t) => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'holdfast-kafka-isolation-'));
  const server = await startKafka({ dataDir });
  const bootstrap = [`127.0.0.1:${server.port}`];
  const producer = new kafka.Producer({
    ...{ clientId: 'p', bootstrapBrokers: bootstrap, autocreateTopics: true },
    ...{ transactionalId: 'p', idempotent: true },
  });
  const levels = ['committed', 'uncommitted'] as const;
  const brokers = levels.map((isolation) =>
    kafkaBroker({ kafka, bootstrap, clientId: isolation, isolation }),
  );
  t.after(async () => {
    await Promise.all([...brokers.map((each) => each.close()), producer.close(true)]);
    await server.kill();
    await rm(dataDir, { recursive: true, force: true });
  });
  const got: Record<string, string[]> = { committed: [], uncommitted: [] };
  for (const [at, isolation] of levels.entries()) {
    await brokers[at]!.subscribe('told', { group: isolation }, async ({ body }) => {
      got[isolation]!.push(Buffer.from(body).toString());
    });
  }
  for (const [text, ending] of [
    ['undone', 'abort'],
    ['done', 'commit'],
  ] as const) {
    const transaction = await producer.beginTransaction();
    const record = { topic: 'told', value: Buffer.from(text) };
    await transaction.send({ messages: [record as kafka.MessageToProduce] });
    await transaction[ending]();
  }
  const texts = await eventually(
    () => ({ committed: [...got.committed!], uncommitted: got.uncommitted!.toSorted() }),
    (here) => here.committed.length >= 1 && here.uncommitted.length >= 2,
    'all have come',
  );
  assert.deepEqual(texts, { committed: ['done'], uncommitted: ['done', 'undone'] });
});
