import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';
import { migrate } from './migrate.ts';
import { postgresStore } from './postgres-store.ts';
import { allSteps } from './tables.ts';

const ROOMY = { maxMessages: 100_000, maxBytes: 100_000_000 };

await postgresSuite(
  'messages that replace others on PostgreSQL',
  ({ pool, newPool, newSchema }) => {
    test('of many that are accepted under two names at the same moment, by several processes, one of each waits', async () => {
      const schema = newSchema();
      const stores = Array.from({ length: 4 }, () => postgresStore({ pool: newPool(), schema }));
      await stores[0]!.open();

      // In either order: whoever waited for a name with another in hand could wait for ever.
      const accepts = Array.from({ length: 80 }, (_, n) => {
        const names = n % 2 === 0 ? ['a', 'b'] : ['b', 'a'];
        return stores[n % 4]!.append([names.map((name) => named(`${name}-${n}`, name))], ROOMY);
      });
      const results = await Promise.all(accepts);
      const { messages } = await stores[0]!.listQueued({ limit: 100 });
      const { queued, queuedBytes } = await stores[1]!.stats();

      assert.ok(results.every(([result]) => result?.kind === 'kept'));
      assert.deepEqual(messages.map(({ id }) => id.split('-')[0]).toSorted(), ['a', 'b']);
      const bytes = messages.reduce((sum, { body, topic }) => sum + body.length + topic.length, 0);
      assert.deepEqual({ queued, queuedBytes }, { queued: 2, queuedBytes: bytes });
    });

    test('while many are accepted under a name and as many leased, each is handed over, replaced, or waits', async () => {
      const schema = newSchema();
      const store = postgresStore({ pool: newPool(), schema });
      const other = postgresStore({ pool: newPool(), schema });
      await store.open();
      const ids = Array.from({ length: 150 }, (_, n) => `m${n}`);

      const handed: string[] = [];
      let over = false;
      const worker = async () => {
        while (!over) {
          const leases = await other.lease(5, 60_000);
          handed.push(...leases.map(({ message: { id } }) => id));
          assert.equal(await other.complete(leases), leases.length, 'what is in hand stays there');
        }
      };
      const working = Promise.all([worker(), worker()]);
      for (let n = 0; n < ids.length; n += 5) {
        await Promise.all(ids.slice(n, n + 5).map((id) => store.append([[named(id, 'a')]], ROOMY)));
      }
      over = true;
      await working;

      const found = await Promise.all(ids.map((id) => store.find(id)));
      const states = Object.groupBy(found, (each) => each?.state ?? 'lost');
      assert.deepEqual(
        found.flatMap((each) => (each?.state === 'delivered' ? [each.id] : [])).toSorted(),
        handed.toSorted(),
      );
      assert.ok((states.queued?.length ?? 0) <= 1, `${states.queued?.length} wait`);
      assert.equal(states.lost, undefined);
    });

    test('in a transaction of yours it replaces when that commits; after a rollback all is as it was', async () => {
      const schema = newSchema();
      const store = postgresStore({ pool, schema });
      await store.append([[named('a-1', 'a')]], ROOMY);
      const accept = async (id: string, end: 'COMMIT' | 'ROLLBACK') => {
        const client = await pool.connect();
        await client.query('BEGIN');
        await store.acceptIn(client, [{ id, topic: 'events', body: id, replaces: { name: 'a' } }]);
        const before = (await store.find('a-1'))?.state;
        await client.query(end);
        client.release();
        const { messages } = await store.listQueued({ limit: 10 });
        return [before, (await store.find('a-1'))?.state, messages.map((each) => each.id)];
      };

      assert.deepEqual(await accept('a-2', 'ROLLBACK'), ['queued', 'queued', ['a-1']]);
      assert.deepEqual(await accept('a-3', 'COMMIT'), ['queued', 'replaced', ['a-3']]);
    });

    test('under an isolation where others could not be seen it is refused, and says so', async () => {
      const schema = newSchema();
      const strict = newPool({ options: '-c default_transaction_isolation=repeatable\\ read' });
      const store = postgresStore({ pool: strict, schema });

      const { replaces: _, ...plain } = named('plain', 'a');
      await store.append([[plain]], ROOMY);
      await assert.rejects(store.append([[named('a', 'a')]], ROOMY), {
        code: 'STORE_UNAVAILABLE',
        message:
          /messages that replace others are accepted under READ COMMITTED, not REPEATABLE READ/,
      });
    });

    test('those that were replaced are remembered as delivered ones are, and no longer', async () => {
      const schema = newSchema();
      const store = postgresStore({ pool, schema, rememberDelivered: 10 });
      for (let n = 0; n < 11; n += 1) {
        const group = Array.from({ length: 100 }, (_, m) => named(`m${n}-${m}`, 'a'));
        await store.append([group], ROOMY);
      }

      const { rows } = await pool.query(`SELECT count(*)::integer AS n FROM ${schema}.message`);

      assert.ok(rows[0].n <= 200, `${rows[0].n} rows are left`);
      assert.equal((await store.stats()).queued, 1);
    });

    test('a process of version 4 leases, completes and accepts beside one that replaces', async () => {
      const schema = newSchema();
      const old = await pool.connect();
      await migrate(old, schema, allSteps(schema).slice(0, 4));
      await old.query(
        `INSERT INTO ${schema}.message (id, state, topic, headers, body, bytes, accepted_ms, start_ms, priority)
       VALUES ('old', 0, 't', '', 'x', 1, 0, 0, 0)`,
      );
      const store = postgresStore({ pool, schema });
      await store.append([[named('a-1', 'a')]], ROOMY);
      await store.append([[named('a-2', 'a')]], ROOMY);
      const { rows } = await old.query(`SELECT id FROM ${schema}.lease(10, 1000, 'older', NULL)`);
      old.release();

      assert.deepEqual(rows.map(({ id }) => id).toSorted(), ['a-2', 'old']);
    });
  },
);

function named(id: string, name: string) {
  const body = Buffer.from(id);
  return { id, topic: 'events', key: undefined, body, headers: {}, replaces: { name } };
}
