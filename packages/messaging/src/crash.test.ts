import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@holdfast/core/testing';
import * as kafka from '@platformatic/kafka';
import * as mqtt from 'mqtt';
import type { Broker } from './broker.ts';
import { kafkaBroker } from './kafka/index.ts';
import { mqttBroker } from './mqtt/index.ts';
import { openOutbox } from './outbox.ts';
import { sqliteStore } from './sqlite/index.ts';
import { Ledger } from './testing/crash/ledger.ts';
import { Victim } from './testing/crash/victim.ts';
import { eventually } from './testing/eventually.ts';
import { kafkaProblem, startKafka } from './testing/kafka-server.ts';
import { mqttProcess } from './testing/mqtt-process.ts';
import { tempDir } from './testing/temp-dir.ts';

const kafkaMissing = await kafkaProblem();
const SEED = Number(process.env.HOLDFAST_SEED ?? 1);
const KILLS = Number(process.env.HOLDFAST_KILLS ?? 20);

test(`${KILLS} SIGKILLs of producer, relay and MQTT broker lose nothing that was accepted`, async (t) => {
  const directory = await tempDir(t);
  const server = await mqttProcess(join(directory, 'broker'));
  t.after(() => server.kill());
  const consumer = mqttBroker({ mqtt, url: server.url, clientId: 'sink', reconnectMs: 50 });

  const books = await holdDrill(t, {
    directory,
    url: server.url,
    consumer,
    kills: KILLS,
    breakBroker: async () => {
      await server.kill();
      await server.start();
    },
  });

  report(t, books);
  assert.deepEqual(
    { lost: books.lost, outOfOrder: books.outOfOrder },
    { lost: [], outOfOrder: [] },
  );
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

  const books = await holdDrill(t, {
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

  report(t, books);
  assert.deepEqual(
    { lost: books.lost, outOfOrder: books.outOfOrder },
    { lost: [], outOfOrder: [] },
  );
});

interface Drill {
  readonly directory: string;
  readonly url: string;
  readonly consumer: Broker;
  readonly kills: number;
  breakBroker(): Promise<void>;
}

/** Traffic, kills at random moments, then quiet; and what the books say. */
async function holdDrill(t: TestContext, drill: Drill) {
  const path = join(drill.directory, 'outbox.db');
  const random = seededRandom(SEED);
  const ledger = new Ledger();
  t.after(() => drill.consumer.close());
  await drill.consumer.subscribe('crash', { group: 'sink' }, async (message) => {
    ledger.deliver(message);
  });
  const producer = new Victim(
    './producer-process.ts',
    (run) => [path, String(run)],
    (id) => ledger.accepted.add(id),
  );
  const relay = new Victim('./relay-process.ts', () => [path, drill.url]);
  t.after(() => Promise.all([producer.end('SIGKILL'), relay.end('SIGKILL')]));
  await producer.start();
  await relay.start();

  for (let kill = 0; kill < drill.kills; kill += 1) {
    await sleep(random.next() * 250);
    const dice = kill === 0 ? 0.99 : random.next();
    if (dice > 0.8) {
      await drill.breakBroker();
      continue;
    }
    const victim = dice < 0.4 ? producer : relay;
    await victim.end('SIGKILL');
    await victim.start();
  }
  await producer.end('SIGTERM');

  const outbox = await openOutbox({ store: sqliteStore({ path, busyTimeoutMs: 5_000 }) });
  t.after(() => outbox.close());
  await eventually(
    () => outbox.stats(),
    ({ queued }) => queued === 0,
    'the outbox empties',
  );
  const { dead, successful } = await outbox.stats();
  const notDelivered = idsIn(path);
  await eventually(
    () => ledger.lost(notDelivered).length,
    (lost) => lost === 0,
    'all arrive',
    20_000,
  ).catch(() => 0);
  return {
    accepted: ledger.accepted.size,
    delivered: ledger.delivered.size,
    duplicates: ledger.duplicates,
    dead,
    successful,
    lost: ledger.lost(notDelivered),
    outOfOrder: ledger.outOfOrder,
  };
}

/** Ids that wait or are dead, read with SQLite alone. */
function idsIn(path: string): ReadonlySet<string> {
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare('SELECT id FROM message WHERE state <> 1').all();
  database.close();
  return new Set(rows.map(({ id }) => String(id)));
}

function report(t: TestContext, books: Awaited<ReturnType<typeof holdDrill>>): void {
  const { accepted, delivered, dead, duplicates, lost } = books;
  t.diagnostic(
    `seed ${SEED}: accepted ${accepted} = delivered + dead (${delivered} + ${dead}, of them some never confirmed to a killed producer), lost ${lost.length}, duplicates ${duplicates}`,
  );
}
