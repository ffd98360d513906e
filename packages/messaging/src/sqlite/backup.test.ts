import assert from 'node:assert/strict';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openOutbox } from '../outbox.ts';
import { eventually } from '../testing/eventually.ts';
import { memoryBroker } from '../testing/memory-broker.ts';
import { tempDir } from '../testing/temp-dir.ts';
import { sqliteInbox } from './inbox.ts';
import { sqliteStore } from './sqlite-store.ts';

test('yesterday’s backup restored: what was delivered since comes again with its ids, and has its effect once; what was accepted since is not in it', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'outbox.db');
  const broker = memoryBroker();
  const effects = new DatabaseSync(join(directory, 'effects.db'));
  t.after(() => effects.close());
  effects.exec('CREATE TABLE effect (id TEXT)');
  const insert = effects.prepare('INSERT INTO effect VALUES (?)');
  const inbox = sqliteInbox({ database: effects });
  const deliveries: string[] = [];
  await broker.subscribe('events', { group: 'g' }, async ({ id }) => {
    deliveries.push(id);
    inbox.once(id, () => insert.run(id));
  });
  const day = async (ids: readonly string[]) => {
    const outbox = await openOutbox({ store: sqliteStore({ path }) });
    await outbox.accept(ids.map((id) => ({ id, topic: 'events', body: id })));
    outbox.relay(broker, { pollMs: 10 });
    await eventually(
      () => outbox.stats(),
      ({ queued }) => queued === 0,
      'all is delivered',
    );
    const { successful } = await outbox.stats();
    await outbox.close();
    return successful;
  };

  const yesterday = await openOutbox({ store: sqliteStore({ path }) });
  await yesterday.accept(['a', 'b'].map((id) => ({ id, topic: 'events', body: id })));
  await yesterday.close();
  const database = new DatabaseSync(path);
  database.exec(`VACUUM INTO '${join(directory, 'backup.db')}'`);
  database.close();
  await day(['c']);
  for (const end of ['', '-wal', '-shm']) await rm(`${path}${end}`, { force: true });
  await copyFile(join(directory, 'backup.db'), path);
  const successful = await day(['d']);
  await eventually(
    () => deliveries.length,
    (count) => count === 6,
    'all arrive',
  );

  const made = effects.prepare('SELECT id FROM effect').all();
  assert.deepEqual(deliveries, ['a', 'b', 'c', 'a', 'b', 'd']);
  assert.deepEqual(
    made.map(({ id }) => id),
    ['a', 'b', 'c', 'd'],
  );
  assert.equal(successful, 3, 'the counters are those of the backup, and go on');
});
