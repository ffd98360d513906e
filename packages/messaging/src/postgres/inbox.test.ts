import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';
import { postgresInbox } from './inbox.ts';
import type { PostgresClient } from './module.ts';
import { postgresStore } from './postgres-store.ts';

await postgresSuite('the inbox on PostgreSQL', ({ pool, newSchema }) => {
  test('a message that is delivered three times, also at once, has its effect once', async () => {
    const { schema, deposit, balance } = await account();
    const inbox = await postgresInbox({ pool, schema });

    const first = await inbox.once('payment-1', deposit);
    const rest = await Promise.all([1, 2].map(() => inbox.once('payment-1', deposit)));
    const both = await Promise.all([1, 2].map(() => inbox.once('payment-2', deposit)));

    assert.deepEqual([first, rest, both.toSorted()], [true, [false, false], [false, true]]);
    assert.equal(await balance(), 20);
  });

  test('an effect that fails leaves neither itself nor the mark, and may be tried again', async () => {
    const { schema, deposit, balance } = await account();
    const inbox = await postgresInbox({ pool, schema });

    await assert.rejects(
      inbox.once('payment-1', async (client) => {
        await deposit(client);
        throw new Error('limit exceeded');
      }),
      /limit exceeded/,
    );

    assert.equal(await balance(), 0);
    assert.equal(await inbox.once('payment-1', deposit), true);
    assert.equal(await balance(), 10);
  });

  test('a mark in a transaction of yours goes with it', async () => {
    const { schema } = await account();
    const inbox = await postgresInbox({ pool, schema });
    const client = await pool.connect();
    const marked: boolean[] = [];
    for (const end of ['ROLLBACK', 'COMMIT', 'COMMIT']) {
      await client.query('BEGIN');
      marked.push(await inbox.mark(client, 'payment-1'));
      await client.query(end);
    }
    client.release();

    assert.deepEqual(marked, [true, true, false]);
  });

  test('what a handler sends on is in the transaction of its effect: handled twice, it is sent on once', async () => {
    const { schema, deposit, balance } = await account();
    const inbox = await postgresInbox({ pool, schema });
    const store = postgresStore({ pool, schema: newSchema() });
    await store.open();
    const handle = (fails: boolean) =>
      inbox.once('payment-1', async (client) => {
        await deposit(client);
        await store.acceptIn(client, [{ topic: 'receipts', body: 'paid 10' }]);
        if (fails) throw new Error('the process ends before it commits');
      });

    await assert.rejects(handle(true));
    const after = [await handle(false), await handle(false)];

    assert.deepEqual(after, [true, false]);
    assert.deepEqual([await balance(), (await store.stats()).queued], [10, 1]);
  });

  test('it forgets the oldest ids beyond its limit', async () => {
    const { schema } = await account();
    const inbox = await postgresInbox({ pool, schema, remember: 2 });
    const ran: boolean[] = [];
    for (const id of ['a', 'b', 'c', 'd', 'c', 'd', 'a']) {
      ran.push(await inbox.once(id, async () => {}));
    }

    assert.deepEqual(ran, [true, true, true, true, false, false, true]);
  });

  test('several processes make its table once, and options that cannot work are refused', async () => {
    const schema = newSchema();
    await Promise.all(Array.from({ length: 8 }, () => postgresInbox({ pool, schema })));

    await assert.rejects(postgresInbox({ pool, remember: 0 }), RangeError);
    await assert.rejects(postgresInbox({ pool, schema: 'a.b' }), TypeError);
  });

  async function account() {
    const schema = newSchema();
    await pool.query(
      `CREATE TABLE ${schema}_account (balance integer); INSERT INTO ${schema}_account VALUES (0);`,
    );
    return {
      schema,
      deposit: async (client: PostgresClient) => {
        await client.query(`UPDATE ${schema}_account SET balance = balance + 10`);
      },
      balance: async () =>
        (await pool.query(`SELECT balance FROM ${schema}_account`)).rows[0].balance,
    };
  }
});
