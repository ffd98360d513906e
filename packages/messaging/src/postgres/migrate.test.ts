import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';
import { migrate } from './migrate.ts';
import { postgresStore } from './postgres-store.ts';
import { allSteps, forJobs, tables } from './tables.ts';

await postgresSuite('migrations on PostgreSQL', ({ pool, newPool, newSchema }) => {
  test('twelve processes that start at once make the tables once', async () => {
    const schema = newSchema();
    const stores = Array.from({ length: 12 }, () => postgresStore({ pool: newPool(), schema }));

    await Promise.all(stores.map((store) => store.open()));
    const { rows } = await pool.query(`SELECT version FROM ${schema}.version`);

    assert.deepEqual(rows, [{ version: 5 }]);
    assert.equal((await stores[0]!.stats()).queued, 0);
  });

  test('a step is made once by whoever comes first, and one that fails leaves nothing', async () => {
    const schema = newSchema();
    const one = `CREATE TABLE ${schema}.thing (n integer); INSERT INTO ${schema}.thing VALUES (1);`;
    const two = `UPDATE ${schema}.thing SET n = n + 1;`;
    const run = async (steps: readonly string[]) => {
      const client = await pool.connect();
      try {
        return await migrate(client, schema, steps);
      } finally {
        client.release();
      }
    };

    await run([one]);
    await assert.rejects(run([one, `${two} SELECT 1 / 0;`]), /division by zero/);
    const after = [(await pool.query(`SELECT n FROM ${schema}.thing`)).rows[0].n];
    await Promise.all([run([one, two]), run([one, two]), run([one, two])]);
    after.push((await pool.query(`SELECT n FROM ${schema}.thing`)).rows[0].n);

    assert.deepEqual(after, [1, 2]);
    assert.equal(
      await run([one]),
      'was written by a newer Holdfast (schema 2, this one knows 1). Upgrade this process, or give it another schema.',
    );
  });

  test('tables of a newer version are left alone, with a message that says what to do', async () => {
    const schema = newSchema();
    await postgresStore({ pool, schema }).open();
    await pool.query(`UPDATE ${schema}.version SET version = 9`);

    await assert.rejects(postgresStore({ pool, schema }).open(), {
      code: 'STORE_UNAVAILABLE',
      message: `The database of outbox schema "${schema}" was written by a newer Holdfast (schema 9, this one knows 5). Upgrade this process, or give it another schema.`,
    });
  });

  test('tables of version 1 get what workers need, keep what they hold, and serve those who have them open', async () => {
    const schema = newSchema();
    const client = await pool.connect();
    await migrate(client, schema, [tables(schema)]);
    client.release();
    await pool.query(
      `INSERT INTO ${schema}.message (id, state, topic, headers, body, bytes, accepted_ms, start_ms, priority)
       SELECT 'm' || n, 0, 'topic-' || n % 2, '', 'x', 1, 0, 0, 0 FROM generate_series(1, 4) AS n`,
    );

    const store = postgresStore({ pool, schema });
    const leases = await store.lease(10, 60_000, ['topic-1']);
    const old = await pool.query(`SELECT id FROM ${schema}.lease(10, 60000, 'version 1')`);

    assert.deepEqual(
      [leases.map(({ message: { id } }) => id), old.rows.map(({ id }) => id).sort()],
      [
        ['m1', 'm3'],
        ['m2', 'm4'],
      ],
    );
  });

  test('who has tables of version 2 open leases and completes on, and what a newer one said is not told of it', async () => {
    const schema = newSchema();
    const old = await pool.connect();
    await migrate(old, schema, [tables(schema), forJobs(schema)]);
    await old.query(
      `INSERT INTO ${schema}.message (id, state, topic, headers, body, bytes, accepted_ms, start_ms, priority)
       SELECT 'm' || n, 0, 'topic', '', 'x', 1, 0, 0, 0 FROM generate_series(1, 2) AS n`,
    );
    const lease = (token: string) =>
      old.query(`SELECT id, seq FROM ${schema}.lease(1, 600000, '${token}', NULL)`);
    const before = await lease('before');

    const store = postgresStore({ pool, schema });
    const [newer] = await store.lease(1, 60_000);
    const noted = await store.note([{ lease: newer!, text: 'half' }]);
    await pool.query(`UPDATE ${schema}.message SET due_ms = 0 WHERE id = 'm2'`);
    const after = await lease('after');
    old.release();

    assert.deepEqual(
      [before.rows[0].id, newer?.message.id, noted, after.rows[0].id],
      ['m1', 'm2', 1, 'm2'],
    );
    const found = await store.find('m2');
    assert.deepEqual([found?.leased, found?.progress], [true, undefined]);
  });

  test('who has tables of an older version open hands over nothing of a topic that a newer one paused', async () => {
    for (const version of [1, 2, 3]) {
      const schema = newSchema();
      const old = await pool.connect();
      await migrate(old, schema, allSteps(schema).slice(0, version));
      await old.query(
        `INSERT INTO ${schema}.message (id, state, topic, headers, body, bytes, accepted_ms, start_ms, priority)
         VALUES ('a', 0, 't', '', 'x', 1, 0, 0, 0)`,
      );
      const named = version === 1 ? '' : `, ARRAY['t']`;
      const lease = () => old.query(`SELECT id FROM ${schema}.lease(1, 1000, 'old'${named})`);

      const store = postgresStore({ pool, schema });
      await store.pause('t');
      const paused = await lease();
      await store.resume('t');
      const resumed = await lease();
      old.release();

      assert.deepEqual([paused.rows, resumed.rows], [[], [{ id: 'a' }]], `version ${version}`);
    }
  });

  test('a role without the right to make tables uses those that are there, and is told when there are none', async () => {
    const [made, missing] = [newSchema(), newSchema()];
    await postgresStore({ pool, schema: made }).open();
    await pool.query(
      `CREATE ROLE guest LOGIN; GRANT USAGE ON SCHEMA ${made} TO guest;
       GRANT ALL ON ALL TABLES IN SCHEMA ${made} TO guest; GRANT ALL ON ALL SEQUENCES IN SCHEMA ${made} TO guest;`,
    );
    const guests = newPool({ user: 'guest', connectionString: undefined, ...hostOf(pool) });

    const store = postgresStore({ pool: guests, schema: made });
    await store.append(
      [[{ id: 'a', topic: 't', key: undefined, body: Buffer.from('x'), headers: {} }]],
      {
        maxMessages: 10,
        maxBytes: 1_000,
      },
    );

    assert.equal((await store.lease(1, 1_000)).length, 1);
    await assert.rejects(postgresStore({ pool: guests, schema: missing }).open(), {
      code: 'STORE_UNAVAILABLE',
      message: /does not let this user do that\. Grant it CREATE on the database/,
    });
  });

  test('a role that was given the tables of version 3 goes on when somebody else has made those of a newer version', async () => {
    const schema = newSchema();
    const owner = await pool.connect();
    await migrate(owner, schema, allSteps(schema).slice(0, 3));
    await owner.query(
      `CREATE ROLE "old guest" LOGIN; GRANT USAGE ON SCHEMA ${schema} TO "old guest";
       GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO "old guest"; GRANT ALL ON ALL SEQUENCES IN SCHEMA ${schema} TO "old guest";`,
    );
    await migrate(owner, schema, allSteps(schema));
    owner.release();
    const guests = newPool({ user: 'old guest', connectionString: undefined, ...hostOf(pool) });
    const store = postgresStore({ pool: guests, schema });

    const changes = [await store.pause('t'), await store.resume('t')];
    const message = { id: 'a', topic: 't', key: undefined, body: Buffer.from('x'), headers: {} };
    await store.append([[{ ...message, replaces: { name: 'a' } }]], {
      maxMessages: 10,
      maxBytes: 1_000,
    });
    const [lease] = await store.lease(1, 1_000, ['t']);
    await store.complete([lease!], [{ lease: lease!, text: 'kept', keptMs: 60_000 }]);

    assert.deepEqual([changes, (await store.find('a'))?.result], [[true, true], 'kept']);
  });

  test('tables that were dropped are missed, not quietly made anew', async () => {
    const schema = newSchema();
    const store = postgresStore({ pool, schema });
    await store.open();
    await pool.query(`DROP SCHEMA ${schema} CASCADE`);

    await assert.rejects(store.stats(), {
      code: 'STORE_UNAVAILABLE',
      message: /has lost its (tables|functions)\. Restore them/,
    });
  });
});

function hostOf({ options }: { readonly options: { connectionString?: string | undefined } }) {
  const url = new URL(options.connectionString ?? '');
  return { host: url.hostname, port: Number(url.port), database: url.pathname.slice(1) };
}
