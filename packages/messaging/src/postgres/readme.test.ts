import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openOutbox } from '@holdfast/messaging';
import { postgresInbox, postgresStore } from '@holdfast/messaging/postgres';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';

await postgresSuite('the README’s example on PostgreSQL', ({ pool }) => {
  test('the README’s example on PostgreSQL runs', async (t) => {
    await pool.query('CREATE TABLE orders (id text); CREATE TABLE account (balance integer)');
    await pool.query('INSERT INTO account VALUES (0)');
    const client = await pool.connect();
    const body = '{"total":12}';

    const store = postgresStore({ pool });
    const outbox = await openOutbox({ store }); // relay it in as many processes as you like

    await client.query('BEGIN');
    await client.query("INSERT INTO orders VALUES ('order-1')");
    await store.acceptIn(client, [{ id: 'order-1', topic: 'orders', body }]);
    await client.query('COMMIT'); // both are there; after a ROLLBACK neither is

    t.after(() => outbox.close());
    client.release();
    const [lease] = await store.lease(1, 1_000);
    const message = lease!.message;
    const inbox = await postgresInbox({ pool });
    await inbox.once(message.id, async (client) => {
      await client.query('UPDATE account SET balance = balance - 12');
    });

    assert.equal(message.id, 'order-1');
    const { rows } = await pool.query('SELECT balance FROM account');
    assert.deepEqual(rows, [{ balance: -12 }]);
  });
});
