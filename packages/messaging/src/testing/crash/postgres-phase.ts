import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresServer } from '@holdfast/test-servers';
import type { Pool } from 'pg';
import { postgresStore } from '../../postgres/index.ts';
import { eventually } from '../eventually.ts';
import { Ledger } from './ledger.ts';
import type { PhaseBooks, PhaseSettings } from './phase-books.ts';
import { restartPostgres } from './restart-postgres.ts';
import { Victim } from './victim.ts';

export interface PostgresSettings extends Omit<PhaseSettings, 'directory'> {
  readonly server: PostgresServer;
  readonly pool: Pool;
  readonly schema: string;
  /** Of so many kills one is the server's. @default 2 */
  readonly serverEvery?: number;
}

/** Two producers and two workers on PostgreSQL; producers, workers and the server are killed. */
export async function postgresPhase(settings: PostgresSettings): Promise<PhaseBooks> {
  const { kills, random, defer, server, pool, schema, serverEvery = 2 } = settings;
  const store = postgresStore({ pool, schema });
  await store.open();
  await pool.query(
    `CREATE TABLE ${schema}_log (n bigserial PRIMARY KEY, id text, key text, worker integer)`,
  );
  const ledger = new Ledger();
  // Each start is a run of its own: what a killed one accepted must not be a duplicate of the next.
  let runs = 0;
  const producers = [0, 1].map(
    () =>
      new Victim(
        './postgres-producer-process.ts',
        () => [server.url, schema, String(++runs)],
        (id) => ledger.accepted.add(id),
      ),
  );
  const workers = [0, 1].map(
    () => new Victim('./postgres-worker-process.ts', () => [server.url, schema, '500']),
  );
  defer(() => Promise.all([...producers, ...workers].map((victim) => victim.end('SIGKILL'))));
  await Promise.all([...producers, ...workers].map((victim) => victim.start()));

  for (let kill = 0; kill < kills; kill += 1) {
    await sleep(100 + random.next() * 500);
    if (kill % serverEvery === serverEvery - 1) {
      await server.process.kill();
      await restartPostgres(server);
      continue;
    }
    const victims = kill % 4 === 0 ? workers : [...workers, ...producers];
    const victim = victims[Math.floor(random.next() * victims.length)];
    await victim?.end('SIGKILL');
    await victim?.start();
  }
  await Promise.all(producers.map((producer) => producer.end('SIGTERM')));
  const stats = await eventually(
    () => store.stats().catch(() => undefined),
    (found) => found?.queued === 0,
    'the queue empties',
    60_000,
  );
  await Promise.all(workers.map((worker) => worker.end('SIGTERM')));
  const { rows } = await pool.query(`SELECT id, key, worker FROM ${schema}_log ORDER BY n`);
  for (const { id } of rows as LogRow[]) {
    ledger.deliver({ id, topic: '', key: '', body: Buffer.alloc(0), headers: {}, delivery: 1 });
  }
  const wrong = outOfOrder(rows).map((id) => `${id} came out of order`);
  if (stats?.successful !== ledger.delivered.size) {
    wrong.push(`${stats?.successful} counted as delivered, ${ledger.delivered.size} were`);
  }
  return {
    kills,
    accepted: ledger.accepted.size,
    delivered: ledger.delivered.size,
    duplicates: ledger.duplicates,
    queued: stats?.queued ?? 0,
    dead: stats?.dead ?? 0,
    lost: ledger.lost(new Set()),
    wrong,
  };
}

/** A row of what workers did, in the order in which they did it. */
export interface LogRow {
  readonly id: string;
  readonly key: string | null;
  readonly worker: number;
}

/** Ids whose first delivery came after that of a later message of their key. */
export function outOfOrder(rows: readonly LogRow[]): readonly string[] {
  const seen = new Set<string>();
  const lastOfKey = new Map<string, string>();
  return rows.flatMap(({ id, key }) => {
    if (key === null || seen.has(id)) return [];
    seen.add(id);
    const late = id < (lastOfKey.get(key) ?? '');
    lastOfKey.set(key, id);
    return late ? [id] : [];
  });
}
