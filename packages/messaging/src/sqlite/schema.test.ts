import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { VirtualClock } from '@holdfast/core/testing';
import { tempDir } from '../testing/temp-dir.ts';
import { SCHEMA_VERSION } from './schema.ts';
import { sqliteStore } from './sqlite-store.ts';

/** Written by the code of version 1: one delivered, one dead, one leased with one behind it, one queued. */
const VERSION_1 = fileURLToPath(new URL('./testing/outbox-v1.db', import.meta.url));

test('a file of version 1 is brought up to date, and keeps all it had', async (t) => {
  const { path, store, clock } = await oldFile(t);

  const before = await store.stats();
  await clock.advance(60_001);
  const leased = await store.lease(10, 1_000);
  const { letters } = await store.listDead({ limit: 10 });
  const again = await store.append([[message('delivered'), message('dead'), message('new')]], {
    maxMessages: 100,
    maxBytes: 10_000,
  });

  assert.deepEqual(
    { queued: before.queued, successful: before.successful, dead: before.dead },
    { queued: 3, successful: 1, dead: 1 },
  );
  assert.deepEqual(
    leased.map(({ message: { id, headers }, delivery }) => [id, delivery, headers.from]),
    [
      ['leased', 2, 'v1'],
      ['behind', 1, 'v1'],
      ['queued', 1, 'v1'],
    ],
  );
  assert.deepEqual(
    letters.map(({ message: { id }, reason, history }) => [id, reason, history.length]),
    [['dead', 'too large', 2]],
  );
  assert.deepEqual(again, [{ kind: 'kept', duplicates: [true, true, false] }]);
  assert.equal(versionOf(path), SCHEMA_VERSION);
});

test('in a file of version 1 messages may be scheduled and urgent from now on', async (t) => {
  const { store, clock } = await oldFile(t);
  await store.append(
    [
      [
        { ...message('later'), delayMs: 70_000 },
        { ...message('urgent'), priority: 9 },
      ],
    ],
    { maxMessages: 100, maxBytes: 10_000 },
  );

  await clock.advance(60_001);
  const first = await store.lease(10, 600_000);
  await clock.advance(10_000);
  const second = await store.lease(10, 600_000);

  assert.deepEqual(
    [first, second].map((leases) => leases.map(({ message: { id } }) => id)),
    [['urgent', 'leased', 'behind', 'queued'], ['later']],
  );
});

test('several that open a file of version 1 at once change it once', async (t) => {
  const { path, store, clock } = await oldFile(t);
  const others = Array.from({ length: 4 }, () => sqliteStore({ path, clock }));
  t.after(() => Promise.all(others.map((other) => other.close())));

  const stats = await Promise.all([store, ...others].map((each) => each.stats()));

  assert.deepEqual(
    stats.map(({ queued }) => queued),
    [3, 3, 3, 3, 3],
  );
});

test('a file of a newer version is left alone, with a message that says what to do', async (t) => {
  const { path, store } = await oldFile(t);
  const database = new DatabaseSync(path);
  database.exec('PRAGMA user_version = 99');
  database.close();

  await assert.rejects(store.open(), {
    code: 'STORE_UNAVAILABLE',
    message: `${path} was written by a newer Holdfast (schema 99, this one knows ${SCHEMA_VERSION}). Upgrade this process, or give it another file.`,
  });
  assert.equal(versionOf(path), 99);
});

async function oldFile(t: TestContext) {
  const path = join(await tempDir(t), 'outbox.db');
  await copyFile(VERSION_1, path);
  const clock = new VirtualClock();
  await clock.advance(1_000_001);
  const store = sqliteStore({ path, clock });
  t.after(() => store.close());
  return { path, store, clock };
}

function versionOf(path: string): unknown {
  const database = new DatabaseSync(path, { readOnly: true });
  const row = database.prepare('PRAGMA user_version').get();
  database.close();
  return row?.user_version;
}

function message(id: string) {
  return { id, topic: 'events', key: undefined, body: Buffer.from(id), headers: {} };
}
