import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PoolClient } from 'pg';
import { StoreUnavailableError } from '../errors.ts';
import { Ledger } from '../testing/crash/ledger.ts';
import { Victim } from '../testing/crash/victim.ts';
import { eventually } from '../testing/eventually.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';
import { migrate } from './migrate.ts';
import { postgresStore } from './postgres-store.ts';
import { allSteps } from './tables.ts';

const ROOMY = { maxMessages: 100_000, maxBytes: 100_000_000 };

await postgresSuite(
  'upgrades of PostgreSQL while others work',
  ({ server, pool, newPool, newSchema }) => {
    test('processes that are at work when a newer version brings the tables up to date go on, and one that starts later is refused', async (t) => {
      const schema = newSchema();
      const store = postgresStore({ pool, schema });
      await store.open();
      await pool.query(
        `CREATE TABLE ${schema}_log (n bigserial PRIMARY KEY, id text, key text, worker integer)`,
      );
      const ledger = new Ledger();
      const producer = new Victim(
        './postgres-producer-process.ts',
        () => [server.url, schema, '1'],
        (id) => ledger.accepted.add(id),
      );
      const worker = new Victim('./postgres-worker-process.ts', () => [server.url, schema, '2000']);
      t.after(() => Promise.all([producer.end('SIGKILL'), worker.end('SIGKILL')]));
      await Promise.all([producer.start(), worker.start()]);
      const delivered = async () => (await store.stats()).successful;
      await eventually(delivered, (count) => count > 50, 'the older ones are at work');

      // What a version may do: add to a table, and functions beside those that are there.
      const next = `ALTER TABLE ${schema}.message ADD COLUMN colour text;
      CREATE FUNCTION ${schema}.coloured(text) RETURNS text LANGUAGE sql AS 'SELECT $1';`;
      const upgraded = await eventually(
        () =>
          withClient((client) => migrate(client, schema, [...allSteps(schema), next])).catch(
            String,
          ),
        (problem) => problem === undefined,
        'the newer one changes the tables',
      );
      const before = await delivered();
      const acceptedBefore = ledger.accepted.size;
      await eventually(delivered, (count) => count > before + 100, 'the older worker goes on');
      const exit = await producer.end('SIGTERM');
      await eventually(
        () => store.stats(),
        ({ queued }) => queued === 0,
        'the queue empties',
      );
      await worker.end('SIGTERM');

      const { rows } = await pool.query(`SELECT DISTINCT id FROM ${schema}_log`);
      const ids = new Set(rows.map(({ id }) => id));
      assert.deepEqual([upgraded, exit], [undefined, 0]);
      assert.ok(ledger.accepted.size > acceptedBefore, 'the older producer went on');
      assert.deepEqual(
        [...ledger.accepted].filter((id) => !ids.has(id)),
        [],
      );
      await assert.rejects(postgresStore({ pool, schema }).open(), {
        code: 'STORE_UNAVAILABLE',
        message: /was written by a newer Holdfast \(schema 6, this one knows 5\)/,
      });
    });

    test('a lease that waited for a column to be added is an outage of a moment: nothing is taken, and the next one takes it', async () => {
      const schema = newSchema();
      // The connection that has leased before knows the columns, and does not look again before it waits.
      const store = postgresStore({ pool: newPool({ max: 1 }), schema });
      await store.open();
      const message = { id: 'a', topic: 't', key: undefined, body: Buffer.from('x'), headers: {} };
      await store.append([[message]], ROOMY);
      await store.release(await store.lease(1, 1_000), { delayMs: 0, attempted: false });
      const upgrade = await pool.connect();
      await upgrade.query('BEGIN');
      await upgrade.query(`ALTER TABLE ${schema}.message ADD COLUMN colour text`);
      const waiting = store.lease(1, 1_000).then(
        () => undefined,
        (error: unknown) => error,
      );
      await eventually(
        async () => (await pool.query('SELECT FROM pg_locks WHERE NOT granted')).rows.length,
        (count) => count > 0,
        'the lease waits',
      );
      await upgrade.query('COMMIT');
      upgrade.release();

      const problem = await waiting;
      const leases = await store.lease(1, 1_000);

      assert.ok(problem instanceof StoreUnavailableError, String(problem));
      assert.match(
        problem.message,
        /was brought up to date by a newer Holdfast in the middle of this/,
      );
      assert.deepEqual(
        leases.map(({ message: { id }, delivery }) => [id, delivery]),
        [['a', 1]],
      );
    });

    test('an upgrade that a transaction of yours keeps waiting gives way, so that those at work go on, and is made when it is over', async () => {
      const schema = newSchema();
      await withClient((client) => migrate(client, schema, allSteps(schema).slice(0, 2)));
      const open = await pool.connect();
      await open.query('BEGIN');
      await open.query(`SELECT count(*) FROM ${schema}.message`);
      const store = postgresStore({ pool, schema, timeoutMs: 60_000 });

      const problem = await store.open().catch((error: Error) => error.message);
      const { rows } = await pool.query('SELECT FROM pg_locks WHERE NOT granted');
      // As a process of version 2 does.
      const leased = await pool.query(`SELECT FROM ${schema}.lease(1, 1000, 'older', NULL)`);
      await open.query('COMMIT');
      open.release();
      const message = { id: 'a', topic: 't', key: undefined, body: Buffer.from('x'), headers: {} };
      const results = await store.append([[message]], ROOMY);

      assert.match(String(problem), /is locked by another transaction/);
      assert.deepEqual([rows.length, leased.rows.length], [0, 0]);
      assert.deepEqual(results, [{ kind: 'kept', duplicates: [false] }]);
    });

    async function withClient<T>(work: (client: PoolClient) => Promise<T>) {
      const client = await pool.connect();
      try {
        return await work(client);
      } finally {
        client.release();
      }
    }
  },
);
