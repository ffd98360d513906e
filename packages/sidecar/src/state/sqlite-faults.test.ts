import assert from 'node:assert/strict';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import { tinyDisk } from '@holdfast/test-servers';
import { ComponentSettings } from '../components/component-settings.ts';
import { sqliteState } from './sqlite-state.ts';
import type { StateStore } from './state-store.ts';

describe('state.sqlite, when its file is taken away from it', () => {
  test('a file that was deleted is made anew: what is written from then on is where it is looked for', async (t) => {
    const { file, lines, store } = await begin(t);
    await store.write([set('k', 'before')], false);
    for (const end of ['', '-wal', '-shm']) await rm(`${file}${end}`);
    await store.write([set('k', 'after')], false);
    await store.write([set('t', 'after')], true);
    // It went on with the deleted one, and all of that was gone with the process.
    assert.deepEqual(keysAndValues(file), ['k=after', 't=after']);
    assert.equal(lines.length, 1);
    assert.match(
      lines[0]!,
      /component s: .*state\.db was deleted, or another file put in its place/,
    );
  });

  test('a backup that is put in its place is what is read', async (t) => {
    const { file, folder, store } = await begin(t);
    await store.write([set('k', 'of the backup')], false);
    const backup = join(folder, 'backup.db');
    const other = new DatabaseSync(file);
    other.exec(`VACUUM INTO '${backup}'`);
    other.close();
    await store.write([set('k', 'later')], false);
    for (const end of ['-wal', '-shm']) await rm(`${file}${end}`);
    await rename(backup, file);
    assert.equal((await store.get('k'))?.value, 'of the backup');
    await store.write([set('new', 'one')], false);
    assert.deepEqual(keysAndValues(file), ['k=of the backup', 'new=one']);
  });

  test('one that cannot be made anew is said so, and is made when it can be', async (t) => {
    const { file, folder, store } = await begin(t);
    await store.write([set('k', 'before')], false);
    await rename(folder, `${folder}-away`);
    await assert.rejects(store.write([set('k', 'lost')], false), /unable to open database file/);
    await rename(`${folder}-away`, folder);
    await store.write([set('k', 'after')], false);
    assert.deepEqual(keysAndValues(file), ['k=after']);
  });

  test('where another process holds it for too long, the error says for how long that was', async (t) => {
    const { file, store } = await begin(t, { busyTimeout: '30ms' });
    const other = new DatabaseSync(file);
    t.after(() => other.close());
    other.exec('BEGIN IMMEDIATE');
    await assert.rejects(store.write([set('k', 'v')], true), {
      message: 'database is locked: by another process, for more than 30 ms (busyTimeout)',
    });
    assert.equal(await store.get('k'), undefined);
    other.exec('ROLLBACK');
    await store.write([set('k', 'v')], true);
  });

  test('a disk that is full fails a transaction with that, and it goes on when there is room', async (t) => {
    const disk = await tinyDisk(t, 400);
    if (typeof disk === 'string') return t.skip(disk);
    const { store } = await begin(t, {}, disk.path);
    const filling = async () => {
      for (let n = 0; n < 100; n += 1) await store.write([set(`k${n}`, 'x'.repeat(20_000))], true);
    };
    await assert.rejects(filling(), { message: 'database or disk is full' });
    await disk.grow(10_000);
    await filling();
    await store.close();
  });
});

const set = (key: string, value: string) =>
  ({ kind: 'set', key, value, firstWrite: false }) as const;

/** A store, its file, and the errors in its log. */
async function begin(
  t: TestContext,
  more: Readonly<Record<string, string>> = {},
  given?: string,
): Promise<{ store: StateStore; file: string; folder: string; lines: string[] }> {
  const folder = given ?? (await mkdtemp(join(tmpdir(), 'holdfast-sqlite-')));
  const file = join(folder, 'state.db');
  const lines: string[] = [];
  const log = createLogger({ write: (line) => void lines.push(line) });
  const settings = new ComponentSettings('s', Object.entries({ connectionString: file, ...more }));
  const store = await sqliteState(settings, { clock: systemClock, log });
  if (given === undefined) {
    t.after(async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    });
  }
  return { store, file, folder, lines };
}

/** As another process sees them. */
function keysAndValues(file: string): readonly string[] {
  const other = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = other.prepare('SELECT key, value FROM state ORDER BY key').all();
    return rows.map(({ key, value }) => `${key}=${value}`);
  } finally {
    other.close();
  }
}
