import type { TestContext } from 'node:test';
import { postgresStore } from '../../postgres/index.ts';
import { eventually } from '../eventually.ts';
import type { SharedBroker } from '../outages/several-machines.ts';
import type { PostgresSuite } from '../servers/postgres-suite.ts';
import type { Handling } from './handlings.ts';
import { Ledger } from './ledger.ts';
import { Victim } from './victim.ts';

/** Nodes at work, each a process. */
export interface Platform {
  readonly ledger: Ledger;
  readonly relays: readonly Victim[];
  readonly workers: readonly Victim[];
  /** Ends the producers; all others when everything is handled. Resolves with what the workers did. */
  finish(): Promise<readonly Handling[]>;
}

const WORKERS = 'workers';

const US = (moment: string) => `(extract(epoch FROM ${moment}) * 1000000)::bigint`;

/** 2 producers, 3 relays and 4 workers, at work; ended with the test. */
export async function platform(
  t: TestContext,
  { server, pool, newSchema }: PostgresSuite,
  { begin, handleMs, holdMs, pauseMs, where }: SharedBroker,
): Promise<Platform> {
  const schema = newSchema();
  const store = postgresStore({ pool, schema });
  await store.open();
  const topic = `crash-${schema}`;
  await begin(schema, topic, WORKERS);
  await pool.query(
    `CREATE TABLE ${schema}_log (n bigserial PRIMARY KEY, id text, key text, worker integer, began timestamptz, ended timestamptz)`,
  );
  const ledger = new Ledger();
  const hear = (line: string) => {
    if (/^\d{3}-\d{6}$/.test(line)) ledger.accepted.add(line);
  };
  const nodes = (program: string, count: number, more: readonly string[]) =>
    Array.from(
      { length: count },
      (_, which) =>
        new Victim(program, () => [server.url, schema, String(which + 1), topic, ...more], hear),
    );
  const relays = nodes('./postgres-relay-process.ts', 3, [where, String(holdMs)]);
  const workers = nodes('./broker-worker-process.ts', 4, [
    where,
    String(holdMs),
    WORKERS,
    String(handleMs),
  ]);
  const producers = nodes('./postgres-producer-process.ts', 2, [String(pauseMs)]);
  const all = [...relays, ...workers, ...producers];
  t.after(async () => {
    for (const each of all) each.signal('SIGCONT');
    await Promise.all(all.map((each) => each.end('SIGKILL')));
  });
  await Promise.all([...relays, ...workers].map((each) => each.start()));
  await Promise.all(producers.map((each) => each.start()));

  /** In the outbox, or handed to the broker and not handled. */
  const waiting = async () => {
    const { queued } = await store.stats();
    const { rows } = await pool.query(
      `SELECT count(DISTINCT id)::integer AS handled FROM ${schema}_log WHERE ended IS NOT NULL`,
    );
    return queued + ledger.accepted.size - rows[0].handled;
  };
  return {
    ledger,
    relays,
    workers,
    async finish() {
      await end(producers);
      await eventually(waiting, (count) => count <= 0, 'all is handled', 120_000);
      await end([...relays, ...workers]);
      const { rows } = await pool.query(
        `SELECT id, key, worker, ${US('began')} AS began, ${US('ended')} AS ended FROM ${schema}_log ORDER BY began`,
      );
      return rows.map((row) => ({
        ...row,
        began: Number(row.began),
        ended: row.ended === null ? null : Number(row.ended),
      }));
    },
  };
}

async function end(victims: readonly Victim[]): Promise<void> {
  await Promise.all(victims.map((victim) => victim.end('SIGTERM')));
}
