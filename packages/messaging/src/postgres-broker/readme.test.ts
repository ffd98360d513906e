import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IncomingMessage, openOutbox, textOf } from '@holdfast/messaging';
import { postgresStore } from '@holdfast/messaging/postgres';
import { postgresBroker } from '@holdfast/messaging/postgres-broker';
import { eventually } from '../testing/eventually.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';

await postgresSuite('the README’s broker on PostgreSQL', ({ pool }) => {
  test('the README’s broker on PostgreSQL takes from an outbox and from a transaction', async (t) => {
    const outbox = await openOutbox({ store: postgresStore({ pool }) });
    const client = await pool.connect();
    const body = '{"total":12}';
    const got: string[] = [];
    const handler = async (message: IncomingMessage) => {
      got.push(`${message.id} ${textOf(message)}`);
    };
    await outbox.accept([{ id: 'order-1', topic: 'orders', body }]);
    await client.query('BEGIN');

    const broker = postgresBroker({ pool });
    await broker.subscribe('orders', { group: 'billing' }, handler);
    outbox.relay(broker); // or without an outbox:
    await broker.publishIn(client, [{ id: 'order-2', topic: 'orders', body }]);

    await client.query('COMMIT');
    client.release();
    t.after(async () => {
      await outbox.close();
      await broker.close();
    });
    await eventually(
      () => got.length,
      (count) => count === 2,
      'both arrive',
    );
    assert.deepEqual(got.toSorted(), [`order-1 ${body}`, `order-2 ${body}`]);
  });
});
