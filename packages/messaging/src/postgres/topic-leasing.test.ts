import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MessageStore } from '../store.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';
import { postgresStore } from './postgres-store.ts';

const ROOMY = { maxMessages: 100_000, maxBytes: 100_000_000 };

await postgresSuite('leasing by topic on PostgreSQL', ({ pool, newPool, newSchema }) => {
  test('one of few jobs is found at the same cost whatever waits of other topics', async () => {
    const schema = newSchema();
    const store = postgresStore({ pool, schema });
    await store.append([messages('few', 3)], ROOMY);
    await leased(store, ['few']);
    const before = await looksAt(schema, 'few');
    for (let n = 0; n < 10; n += 1) await store.append([messages(`heap`, 1_000, n)], ROOMY);
    const after = await looksAt(schema, 'few');

    assert.ok(after <= before + 20, `${before} pages without the heap, ${after} with it`);
  });

  test('nor once PostgreSQL has counted that there are but two topics, one of them in front and on pause', async () => {
    const behind = async (heap: number) => {
      const schema = newSchema();
      const store = postgresStore({ pool, schema });
      for (let n = 0; n < heap; n += 1) await store.append([messages('heap', 1_000, n)], ROOMY);
      await store.append([messages('few', 1_000)], ROOMY);
      await leased(store, ['few']);
      await store.pause('heap');
      await pool.query(`ANALYZE ${schema}.message`);
      return { pages: await looksAt(schema, 'few'), found: await leased(store, ['heap', 'few']) };
    };

    const [without, after] = [await behind(0), await behind(10)];

    assert.ok(after.pages <= without.pages + 20, `${without.pages} pages, then ${after.pages}`);
    assert.deepEqual(after.found, ['few-1']);
  });

  test('what is before a backup that knows nothing of it is leased all the same, and by topic again after that', async () => {
    const schema = newSchema();
    const store = postgresStore({ pool, schema });
    await store.append([messages('a', 4)], ROOMY);
    assert.deepEqual(await leased(store, ['a']), ['a-0']);

    await pool.query(
      `DROP FUNCTION ${schema}.lease_of, ${schema}.first_of; DROP INDEX ${schema}.message_topic; DROP TABLE ${schema}.topics_version`,
    );
    assert.deepEqual([await leased(store, ['a']), await leased(store, ['a'])], [['a-1'], ['a-2']]);
    assert.equal((await functionsOf(schema)).length, 1);
  });

  test('a role that may not change the tables leases without', async () => {
    const schema = newSchema();
    await postgresStore({ pool, schema }).append([messages('a', 1)], ROOMY);
    await pool.query(`CREATE ROLE ${schema}_poor NOLOGIN; GRANT USAGE ON SCHEMA ${schema} TO ${schema}_poor;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${schema}_poor;
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${schema}_poor`);
    const poor = newPool({ options: `-c role=${schema}_poor` });
    const store = postgresStore({ pool: poor, schema });

    assert.deepEqual(await leased(store, ['a']), ['a-0']);
    assert.equal((await functionsOf(schema)).length, 0);
  });

  test('where keys are not free among the first of a topic, those behind are found', async () => {
    const store = postgresStore({ pool, schema: newSchema() });
    const ofKey = (key: string, n: number) => ({
      ...messages(`t`, 1, n)[0]!,
      id: `${key}${n}`,
      key,
    });
    await store.append(
      [[...Array.from({ length: 40 }, (_, n) => ofKey('a', n)), ofKey('b', 0), ofKey('c', 0)]],
      ROOMY,
    );
    const first = await store.lease(1, 60_000, ['t']);
    const others = await store.lease(5, 60_000, ['t']);

    const ids = [...first, ...others].map(({ message: { id } }) => id);
    assert.deepEqual(ids, ['a0', 'b0', 'c0']);
  });

  async function functionsOf(schema: string) {
    const { rows } = await pool.query(
      "SELECT 1 FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = $1 AND p.proname = 'lease_of'",
      [schema],
    );
    return rows;
  }

  /** Pages that are looked at to lease one of a topic. */
  async function looksAt(schema: string, topic: string): Promise<number> {
    const { rows } = await pool.query(
      `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM ${schema}.lease_of(1, 0, 'x', ARRAY['${topic}'])`,
    );
    return Number(rows[0]['QUERY PLAN'][0].Plan['Shared Hit Blocks']);
  }
});

function messages(topic: string, count: number, lot = 0) {
  return Array.from({ length: count }, (_, n) => ({
    ...{ id: `${topic}-${lot * count + n}`, topic, key: undefined },
    ...{ body: Buffer.from('x'), headers: {} },
  }));
}

async function leased(store: MessageStore, topics: readonly string[]) {
  return (await store.lease(1, 60_000, topics)).map(({ message: { id } }) => id);
}
