import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { arrived, beginBroker, order } from '../testing/servers/postgres-broker-suite.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';

await postgresSuite('a backup put back under a member that notices nothing', (suite) => {
  const { pool } = suite;

  test('what the backup says that it has in hand comes again before what follows it of its key, and keeps no other key', async (t) => {
    const [held, beside] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    // First of all: a broker waits for what is in hand when it is closed.
    t.after(() => held.resolve());
    const { broker, schema } = beginBroker(t, suite);
    const got: string[] = [];
    await broker.subscribe('orders', { group: 'g' }, async ({ id }) => {
      got.push(id);
      if (id === 'held') await held.promise;
      if (id === 'beside') beside.resolve();
    });
    await broker.publish([order('held', 'k')]);
    await arrived(got, 1);
    await pool.query(
      `CREATE TABLE ${schema}.kept_delivery AS SELECT * FROM ${schema}.broker_delivery;
       CREATE TABLE ${schema}.kept_claim AS SELECT * FROM ${schema}.broker_claim`,
    );
    held.resolve();
    await broker.publish([order('since', 'k')]);
    await eventually(
      async () => (await pool.query(`SELECT FROM ${schema}.broker_delivery`)).rowCount,
      (count) => count === 0,
      'all is acknowledged',
    );

    // All at once, so that no look of the member can be between.
    const client = await pool.connect();
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO ${schema}.broker_delivery SELECT * FROM ${schema}.kept_delivery;
       INSERT INTO ${schema}.broker_claim (group_id, seq, key, holder, until_ms, deliveries)
         SELECT group_id, seq, key, holder, ${schema}.broker_now_ms() + 300000, deliveries FROM ${schema}.kept_claim`,
    );
    await broker.publishIn(client, [
      { id: 'tomorrow', topic: 'orders', key: 'k', body: 'x' },
      { id: 'beside', topic: 'orders', key: 'other', body: 'x' },
    ]);
    await client.query('COMMIT');
    client.release();
    await beside.promise;
    const soon = [...got];
    // It lapses.
    await pool.query(`UPDATE ${schema}.broker_claim SET until_ms = 0 WHERE until_ms > 0`);
    await arrived(got, 5);

    assert.deepEqual(
      [soon, got],
      [
        ['held', 'since', 'beside'],
        ['held', 'since', 'beside', 'held', 'tomorrow'],
      ],
    );
  });
});
