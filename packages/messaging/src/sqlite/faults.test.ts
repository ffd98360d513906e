import assert from 'node:assert/strict';
import { copyFile, open, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, type TestContext, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { OutboxRefusedError } from '../errors.ts';
import { type Outbox, openOutbox } from '../outbox.ts';
import { tinyDisk } from '../testing/disk/tiny-disk.ts';
import { tempDir } from '../testing/temp-dir.ts';
import { sqliteStore } from './sqlite-store.ts';

describe('an outbox whose disk fails never says accepted', () => {
  test('full disk: refuses, says so, loses nothing it had accepted, and goes on when there is room', async (t) => {
    const disk = await tinyDisk(t, 2_048);
    if (typeof disk === 'string') return t.skip(disk);
    const { outbox, clock, path } = await openAt(t, join(disk.path, 'outbox.db'));
    const ballast = join(disk.path, 'ballast');
    await writeFile(ballast, Buffer.alloc(512 * 1_024));

    const { accepted, refusal } = await acceptUntilRefused(outbox);
    assert.deepEqual(plain(refusal), {
      code: 'OUTBOX_UNAVAILABLE',
      retryAfterMs: 250,
      message: `The outbox cannot keep anything now: ${path} has no room to grow: the disk or its quota is full. Free some space.`,
    });

    await rm(ballast);
    await clock.advance(5_000);
    const [after] = await outbox.accept([{ topic: 'events', id: 'after', body: 'x' }]);
    assert.equal(after?.duplicate, false);
    assert.deepEqual(await idsIn(outbox, path), [...accepted, 'after']);
  });

  test('read-only file system: refuses, and goes on when it is writable again', async (t) => {
    const disk = await tinyDisk(t, 4_096);
    if (typeof disk === 'string') return t.skip(disk);
    const { outbox, clock, path } = await openAt(t, join(disk.path, 'outbox.db'));
    await outbox.accept([{ topic: 'events', id: 'before', body: 'x' }]);
    await outbox.close();
    await disk.readOnly();
    const again = await openOutbox({ store: sqliteStore({ path, clock }), clock });
    t.after(() => again.close());

    const refusal = await acceptOne(again, 'refused');
    await disk.writable();
    await clock.advance(5_000);

    assert.match(
      refusal?.message ?? '',
      new RegExp(`^The outbox cannot keep anything now: ${path} `),
    );
    assert.equal(refusal?.code, 'OUTBOX_UNAVAILABLE');
    assert.equal(await acceptOne(again, 'after'), undefined);
    assert.deepEqual(await idsIn(again, path), ['before', 'after']);
  });

  test('a damaged page is found when the file is opened, and the file is named', async (t) => {
    const { outbox, clock, path } = await openAt(t);
    await outbox.accept(
      Array.from({ length: 500 }, (_, n) => ({
        topic: 'events',
        id: `m${n}`,
        body: 'x'.repeat(100),
      })),
    );
    await outbox.close();
    const { size } = await stat(path);
    const file = await open(path, 'r+');
    // One page in the middle, which accepting a message would not touch.
    const middle = Math.floor(size / 2 / 4_096) * 4_096;
    await file.write(Buffer.alloc(64, 0xff), 0, 64, middle);
    await file.close();

    const refusal = await acceptOne(await reopen(t, path, clock), 'a');

    assert.equal(refusal?.code, 'OUTBOX_UNAVAILABLE');
    assert.match(refusal?.message ?? '', /outbox\.db is damaged.*Move it away/);
  });

  test('a file that is no database is not overwritten', async (t) => {
    const path = join(await tempDir(t), 'outbox.db');
    await writeFile(path, 'This is a letter to a friend, and not a database at all. '.repeat(50));

    const refusal = await acceptOne(await reopen(t, path, new VirtualClock()), 'a');

    assert.match(
      refusal?.message ?? '',
      /outbox\.db is not an SQLite database, or its header is damaged/,
    );
  });

  test('a file cut in half is found', async (t) => {
    const { outbox, clock, path } = await openAt(t);
    await outbox.accept(
      Array.from({ length: 500 }, (_, n) => ({
        topic: 'events',
        id: `m${n}`,
        body: 'x'.repeat(100),
      })),
    );
    await outbox.close();
    await truncate(path, Math.floor((await stat(path)).size / 2));

    const refusal = await acceptOne(await reopen(t, path, clock), 'a');

    assert.equal(refusal?.code, 'OUTBOX_UNAVAILABLE');
    assert.match(refusal?.message ?? '', /outbox\.db is damaged/);
  });

  test('the database of another application is left alone', async (t) => {
    const path = join(await tempDir(t), 'outbox.db');
    const other = new DatabaseSync(path);
    other.exec('CREATE TABLE users (name TEXT)');
    other.close();

    const refusal = await acceptOne(await reopen(t, path, new VirtualClock()), 'a');

    assert.match(
      refusal?.message ?? '',
      /is the database of another application\. Give the outbox a file of its own/,
    );
  });

  test('a file written by a newer version is refused, not guessed at', async (t) => {
    const { outbox, clock, path } = await openAt(t);
    await outbox.accept([{ topic: 'events', body: 'x' }]);
    await outbox.close();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 99');
    database.close();

    const refusal = await acceptOne(await reopen(t, path, clock), 'a');

    assert.match(
      refusal?.message ?? '',
      /was written by a newer Holdfast \(schema 99, this one knows 5\)\. Upgrade this process, or give it another file\./,
    );
  });

  test('a file that is removed while in use: what went into the removed one is not called accepted', async (t) => {
    const { outbox, clock, path } = await openAt(t);
    await outbox.accept([{ topic: 'events', id: 'before', body: 'x' }]);
    await rename(path, `${path}.moved`);

    const first = await acceptOne(outbox, 'lost?');
    await clock.advance(5_000);
    const second = await acceptOne(outbox, 'still lost?');

    assert.match(first?.message ?? '', /or its -wal file was removed while in use\. Put both back/);
    assert.match(
      second?.message ?? '',
      /or its -wal file was removed while in use\. Put both back/,
    );
  });

  test('a file that is replaced while in use: refuses once, then works with the new one', async (t) => {
    const { outbox, clock, path } = await openAt(t);
    await outbox.accept([{ topic: 'events', id: 'old', body: 'x' }]);
    const backup = await openAt(t);
    await backup.outbox.accept([{ topic: 'events', id: 'from the backup', body: 'x' }]);
    await backup.outbox.close();
    await rm(`${path}-wal`);
    await rm(path);
    await copyFile(backup.path, path);

    const refusal = await acceptOne(outbox, 'in between');
    await clock.advance(5_000);

    assert.equal(refusal?.code, 'OUTBOX_UNAVAILABLE');
    assert.equal(await acceptOne(outbox, 'new'), undefined);
    assert.deepEqual(await idsIn(outbox, path), ['from the backup', 'new']);
  });

  test('a database that another process has locked for too long refuses, and works when it is free', async (t) => {
    const { outbox, path } = await openAt(t);
    await outbox.accept([{ topic: 'events', id: 'before', body: 'x' }]);
    const other = new DatabaseSync(path);
    t.after(() => other.close());
    other.exec('BEGIN IMMEDIATE');

    const refusal = await acceptOne(outbox, 'while locked');
    other.exec('ROLLBACK');

    assert.match(refusal?.message ?? '', /is locked by another process/);
    assert.equal(await acceptOne(outbox, 'after'), undefined);
  });

  test('a directory that does not exist is named, and found when it appears', async (t) => {
    const path = join(await tempDir(t), 'missing', 'outbox.db');
    const outbox = await reopen(t, path, new VirtualClock());

    const refusal = await acceptOne(outbox, 'a');

    assert.match(
      refusal?.message ?? '',
      /missing\/outbox\.db cannot be opened\. Check that its directory exists/,
    );
    await assert.rejects(outbox.stats(), { code: 'OUTBOX_UNAVAILABLE' });
  });
});

async function openAt(t: TestContext, at?: string) {
  const path = at ?? join(await tempDir(t), 'outbox.db');
  const clock = new VirtualClock();
  return { outbox: await reopen(t, path, clock), clock, path };
}

async function reopen(t: TestContext, path: string, clock: VirtualClock): Promise<Outbox> {
  const outbox = await openOutbox({
    store: sqliteStore({ path, clock, busyTimeoutMs: 50 }),
    clock,
  });
  t.after(() => outbox.close());
  return outbox;
}

/** The refusal, or undefined if it was accepted. */
async function acceptOne(outbox: Outbox, id: string): Promise<OutboxRefusedError | undefined> {
  try {
    await outbox.accept([{ topic: 'events', id, body: 'x' }]);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof OutboxRefusedError, String(error));
    return error;
  }
}

async function acceptUntilRefused(outbox: Outbox) {
  const accepted: string[] = [];
  for (let n = 0; n < 10_000; n += 1) {
    const id = `m${String(n).padStart(5, '0')}`;
    try {
      await outbox.accept([{ topic: 'events', id, body: Buffer.alloc(4_000) }]);
      accepted.push(id);
    } catch (refusal) {
      return { accepted, refusal };
    }
  }
  throw new Error('The disk never filled up.');
}

/** Closes the outbox and reads, with SQLite alone, what is in its file. */
async function idsIn(outbox: Outbox, path: string): Promise<readonly string[]> {
  await outbox.close();
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare('SELECT id FROM message ORDER BY seq').all();
  database.close();
  return rows.map(({ id }) => String(id));
}

function plain(error: unknown) {
  assert.ok(error instanceof OutboxRefusedError, String(error));
  const { code, retryAfterMs, message } = error;
  return { code, retryAfterMs, message };
}
