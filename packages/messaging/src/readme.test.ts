import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openOutbox, textOf } from '@holdfast/messaging';
import { mqttBroker } from '@holdfast/messaging/mqtt';
import { sqliteInbox, sqliteStore } from '@holdfast/messaging/sqlite';
import * as mqtt from 'mqtt';
import { eventually } from './testing/eventually.ts';
import { mqttProcess } from './testing/servers/mqtt-process.ts';
import { tempDir } from './testing/temp-dir.ts';

test('the README’s example runs: accepted, delivered, and its effect made once', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'outbox.db');
  const server = await mqttProcess(join(directory, 'broker'));
  t.after(() => server.kill());
  const { url } = server;
  const database = new DatabaseSync(join(directory, 'billing.db'));
  t.after(() => database.close());
  database.exec('CREATE TABLE invoice (body TEXT)');
  const insertInvoice = database.prepare('INSERT INTO invoice VALUES (?)');

  const outbox = await openOutbox({ store: sqliteStore({ path }) });
  const broker = mqttBroker({ mqtt, url, clientId: 'orders' });
  outbox.relay(broker); // from now on, whatever the broker does

  // Resolves after fsync. Only now say 202.
  const [receipt] = await outbox.accept([
    { id: 'order-1', topic: 'orders', key: 'customer-7', body: '{"total":12}' },
  ]);

  const inbox = sqliteInbox({ database }); // your own node:sqlite database
  await broker.subscribe('orders', { group: 'billing' }, async (message) => {
    inbox.once(message.id, () => insertInvoice.run(textOf(message)));
  });

  t.after(async () => {
    await outbox.close();
    await broker.close();
  });
  const invoices = () => database.prepare('SELECT body FROM invoice').all();
  await eventually(invoices, (rows) => rows.length > 0, 'the invoice is written');
  assert.deepEqual(receipt, { id: 'order-1', duplicate: false });
  assert.deepEqual(
    invoices().map(({ body }) => body),
    ['{"total":12}'],
  );
});
