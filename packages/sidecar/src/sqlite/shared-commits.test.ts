import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { SharedCommits } from './shared-commits.ts';
import { whileBusy } from './while-busy.ts';

test('what is written in one turn is one transaction', async (t) => {
  const { commits, database, keys, put } = await open(t);
  const executed = t.mock.method(database, 'exec');
  await Promise.all([1, 2, 3, 4].map((key) => commits.write(() => put(key))));

  const said = executed.mock.calls.map(({ arguments: [sql] }) => sql);
  assert.deepEqual([keys(), said.filter((sql) => sql === 'COMMIT').length], [[1, 2, 3, 4], 1]);
});

test('one that fails leaves nothing behind, and the others stay', async (t) => {
  const { commits, keys, put } = await open(t);
  const outcomes = await Promise.allSettled([
    commits.write(() => put(1)),
    commits.write(() => {
      put(2);
      throw new Error('not that one');
    }),
    commits.write(() => put(3)),
    commits.write(() => put(1)),
  ]);

  assert.deepEqual(
    outcomes.map((one) => (one.status === 'fulfilled' ? 'done' : one.reason.message)),
    ['done', 'not that one', 'done', 'UNIQUE constraint failed: items.key'],
  );
  assert.deepEqual(keys(), [1, 3]);
});

test('while another process writes they wait, and are all done after it', async (t) => {
  const { commits, file, keys, put } = await open(t);
  const other = new DatabaseSync(file);
  other.exec('BEGIN IMMEDIATE; INSERT INTO items VALUES (9)');
  const both = Promise.all([1, 2].map((key) => commits.write(() => put(key))));
  await systemClock.sleep(60);
  assert.deepEqual(keys(), []);
  other.exec('COMMIT');
  other.close();

  await both;
  assert.deepEqual(keys(), [1, 2, 9]);
});

test('what ends the whole transaction is told to all, and the next turn works', async (t) => {
  const { commits, database, keys, put } = await open(t);
  const outcomes = await Promise.allSettled([
    commits.write(() => put(1)),
    commits.write(() => {
      // As SQLite itself does where the disk is full.
      database.exec('ROLLBACK');
      throw new Error('database or disk is full');
    }),
  ]);
  await commits.write(() => put(2));

  assert.deepEqual(
    outcomes.map((one) => one.status === 'rejected' && one.reason.message),
    ['database or disk is full', 'database or disk is full'],
  );
  assert.deepEqual(keys(), [2]);
});

async function open(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-commits-'));
  const file = join(folder, 'one.db');
  const database = new DatabaseSync(file, { timeout: 1 });
  t.after(async () => {
    database.close();
    await rm(folder, { recursive: true });
  });
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE items (key INTEGER PRIMARY KEY)');
  const insert = database.prepare('INSERT INTO items VALUES (?)');
  const all = database.prepare('SELECT key FROM items ORDER BY key');
  return {
    file,
    database,
    commits: new SharedCommits((work) => whileBusy(() => work(database), 60_000, systemClock)),
    put: (key: number) => void insert.run(key),
    keys: () => all.all().map(({ key }) => key),
  };
}
