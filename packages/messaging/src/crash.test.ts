import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { seededRandom } from '@holdfast/core/testing';
import * as kafka from '@platformatic/kafka';
import * as mqtt from 'mqtt';
import { kafkaBroker } from './kafka/index.ts';
import { mqttBroker } from './mqtt/index.ts';
import { type BrokerSettings, brokerPhase } from './testing/crash/broker-phase.ts';
import { describeBooks } from './testing/crash/phase-books.ts';
import { kafkaProblem, startKafka } from './testing/servers/kafka-server.ts';
import { mqttProcess } from './testing/servers/mqtt-process.ts';
import { tempDir } from './testing/temp-dir.ts';

const kafkaMissing = await kafkaProblem();
const SEED = Number(process.env.HOLDFAST_SEED ?? 1);
const KILLS = Number(process.env.HOLDFAST_KILLS ?? 20);

test(`${KILLS} SIGKILLs of producer, relay and MQTT broker lose nothing that was accepted`, async (t) => {
  const directory = await tempDir(t);
  const server = await mqttProcess(join(directory, 'broker'));
  t.after(() => server.kill());
  const consumer = mqttBroker({ mqtt, url: server.url, clientId: 'sink', reconnectMs: 50 });

  const books = await phase(t, {
    directory,
    url: server.url,
    consumer,
    kills: KILLS,
    breakBroker: async () => {
      await server.kill();
      await server.start();
    },
  });

  assert.ok(books.accepted > 100 && books.dead > 0, 'there was traffic, and some of it died');
});

test('SIGKILLs of producer, relay and Apache Kafka lose nothing that was accepted', {
  skip: kafkaMissing !== undefined && process.env.CI !== 'true' ? kafkaMissing : false,
}, async (t) => {
  const directory = await tempDir(t);
  const dataDir = join(directory, 'kafka');
  let server = await startKafka({ dataDir });
  const { port } = server;
  t.after(() => server.kill());
  const url = `kafka://127.0.0.1:${port}`;
  const consumer = kafkaBroker({ kafka, bootstrap: [`127.0.0.1:${port}`], clientId: 'sink' });
  let brokerKills = 0;

  await phase(t, {
    directory,
    url,
    consumer,
    kills: 6,
    // A JVM takes seconds to start: once is enough here, the drills do it more often.
    breakBroker: async () => {
      if (++brokerKills > 1) return;
      await server.kill();
      server = await startKafka({ dataDir, port });
    },
  });
});

async function phase(t: TestContext, settings: Omit<BrokerSettings, 'random' | 'defer'>) {
  const books = await brokerPhase({
    ...settings,
    random: seededRandom(SEED),
    defer: (work) => t.after(work),
  });
  t.diagnostic(describeBooks(`seed ${SEED}`, books));
  assert.deepEqual({ lost: books.lost, wrong: books.wrong }, { lost: [], wrong: [] });
  return books;
}
