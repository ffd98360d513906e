import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker } from '../../broker.ts';
import { openOutbox } from '../../outbox.ts';
import { sqliteStore } from '../../sqlite/index.ts';
import { eventually } from '../eventually.ts';
import { Ledger } from './ledger.ts';
import type { PhaseBooks, PhaseSettings } from './phase-books.ts';
import { Victim } from './victim.ts';

export interface BrokerSettings extends PhaseSettings {
  /** Of the broker, for the relay's process. */
  readonly url: string;
  /** The witness: what it is handed counts as delivered. */
  readonly consumer: Broker;
  /** Kills the broker, and starts it again. */
  breakBroker(): Promise<void>;
}

/** Traffic, kills of producer, relay and broker at random moments, then quiet; and what the books say. */
export async function brokerPhase(settings: BrokerSettings): Promise<PhaseBooks> {
  const { kills, random, directory, defer, url, consumer, breakBroker } = settings;
  const path = join(directory, 'outbox.db');
  const ledger = new Ledger();
  defer(() => consumer.close());
  await consumer.subscribe('crash', { group: 'sink' }, async (message) => {
    ledger.deliver(message);
  });
  const producer = new Victim(
    './producer-process.ts',
    (run) => [path, String(run)],
    (id) => ledger.accepted.add(id),
  );
  const relay = new Victim('./relay-process.ts', () => [path, url]);
  defer(() => Promise.all([producer.end('SIGKILL'), relay.end('SIGKILL')]));
  await producer.start();
  await relay.start();

  for (let kill = 0; kill < kills; kill += 1) {
    await sleep(random.next() * 250);
    const dice = kill === 0 ? 0.99 : random.next();
    if (dice > 0.8) {
      await breakBroker();
      continue;
    }
    const victim = dice < 0.4 ? producer : relay;
    await victim.end('SIGKILL');
    await victim.start();
  }
  await producer.end('SIGTERM');

  const outbox = await openOutbox({ store: sqliteStore({ path, busyTimeoutMs: 5_000 }) });
  defer(() => outbox.close());
  await eventually(
    () => outbox.stats(),
    ({ queued }) => queued === 0,
    'the outbox empties',
    60_000,
  );
  const { queued, dead } = await outbox.stats();
  const notDelivered = idsIn(path);
  await eventually(
    () => ledger.lost(notDelivered).length,
    (lost) => lost === 0,
    'all arrive',
    20_000,
  ).catch(() => 0);
  return {
    kills,
    accepted: ledger.accepted.size,
    delivered: ledger.delivered.size,
    duplicates: ledger.duplicates,
    queued,
    dead,
    lost: ledger.lost(notDelivered),
    wrong: ledger.outOfOrder.map((id) => `${id} came out of order`),
    note: 'of some delivered and dead a killed producer was never told',
  };
}

/** Ids that wait or are dead, read with SQLite alone. */
function idsIn(path: string): ReadonlySet<string> {
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare('SELECT id FROM message WHERE state <> 1').all();
  database.close();
  return new Set(rows.map(({ id }) => String(id)));
}
