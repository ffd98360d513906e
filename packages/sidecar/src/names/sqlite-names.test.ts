import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, type TestContext, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { createLogger } from '@holdfast/telemetry/log';
import { temporaryFolder } from '../testing/start-mesh.ts';
import type { NameResolver } from './name-resolver.ts';
import { sqliteNames } from './sqlite-names.ts';

const log = createLogger({ write: () => {} });
const at = (appId: string, port: number) => ({
  appId,
  namespace: 'default',
  host: '127.0.0.1',
  port,
});

describe('sqliteNames', () => {
  test('finds all sidecars of an app that are alive, and none after they have closed', async (t) => {
    const { open } = await shared(t);
    const [one, two, reader] = [await open(), await open(), await open()];
    await one.register(at('orders', 5001));
    await two.register(at('orders', 5002));

    const both = [...(await reader.resolve('orders', 'default'))].sort();
    await one.close();
    const left = await reader.resolve('orders', 'default');
    await two.close();

    assert.deepEqual(
      [both, left, await reader.resolve('orders', 'default')],
      [['127.0.0.1:5001', '127.0.0.1:5002'], ['127.0.0.1:5002'], []],
    );
  });

  test('waits for a new file that somebody else is making, but not for ever', async (t) => {
    const file = path.join(await temporaryFolder(t), 'new.db');
    const other = new DatabaseSync(file);
    t.after(() => other.close());
    other.exec('CREATE TABLE theirs (a); BEGIN EXCLUSIVE');
    const clock = new VirtualClock();
    const open = () => sqliteNames({ path: file, busyTimeoutMs: 1, clock, log });

    const tooLong = assert.rejects(open(), /database is locked/);
    await clock.advance(6_000);
    await tooLong;

    const opening = open();
    await clock.advance(1_000);
    other.exec('COMMIT');
    await clock.advance(1_000);
    await (await opening).close();
  });

  test('takes over the row of a dead sidecar that had the same address', async (t) => {
    const { open } = await shared(t);
    const [dead, heir] = [await open(), await open()];
    await dead.register(at('orders', 5001));
    await heir.register(at('billing', 5001));

    assert.deepEqual(
      [await heir.resolve('orders', 'default'), await heir.resolve('billing', 'default')],
      [[], ['127.0.0.1:5001']],
    );
  });

  test('passes over a registration that lapsed where there is another, and tries it where there is none', async (t) => {
    const { open, sql } = await shared(t);
    const [late, reader] = [await open(), await open()];
    await late.register(at('orders', 5001));
    sql('UPDATE hosts SET last_update = last_update - 5');

    const alone = await reader.resolve('orders', 'default');
    await (await open()).register(at('orders', 5002));
    const beside = await reader.resolve('orders', 'default');

    assert.deepEqual([alone, beside], [['127.0.0.1:5001'], ['127.0.0.1:5002']]);
  });

  test('a registration that lapsed is no more, once nobody answered there or three lives are over', async (t) => {
    const { open, sql, clock } = await shared(t);
    const names = await open();
    await names.register(at('orders', 5001));
    const found = () => names.resolve('orders', 'default');

    sql('UPDATE hosts SET last_update = last_update - 5');
    names.unreachable('orders', '127.0.0.1:5001');
    const silent = await found();
    await clock.advance(1_000);
    const back = await found();
    sql('UPDATE hosts SET last_update = last_update - 5');
    const lateAgain = await found();
    sql('UPDATE hosts SET last_update = last_update - 10');

    assert.deepEqual(
      [silent, back, lateAgain, await found()],
      [[], ['127.0.0.1:5001'], ['127.0.0.1:5001'], []],
    );
  });

  test('is found by daprd, which looks for rows alone, while its process is held up for half a life', async (t) => {
    const { open, sql, clock, alive } = await shared(t);
    await (await open()).register(at('orders', 5001));
    await clock.advance(4_900);

    sql('UPDATE hosts SET last_update = last_update - 3');

    assert.deepEqual(alive(), 1);
  });

  test('is found right after its event loop was blocked for longer than its life, and has renewed itself', async (t) => {
    const file = path.join(await temporaryFolder(t), 'names.db');
    const names = await sqliteNames({ path: file, updateIntervalMs: 2_000, log });
    t.after(() => names.close());
    await names.register(at('orders', 5001));

    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_100);
    const found = await names.resolve('orders', 'default');
    await new Promise((resolve) => setTimeout(resolve));

    const db = new DatabaseSync(file);
    const { age } = db.prepare('SELECT unixepoch() - last_update AS age FROM hosts').get()!;
    db.close();
    assert.deepEqual([found, Number(age) < 2], [['127.0.0.1:5001'], true]);
  });

  test('a renewal that meets a lock is made up for by the next, a moment later', async (t) => {
    const { open, sql, clock, file, alive } = await shared(t);
    await (await open()).register(at('orders', 5001));
    sql('UPDATE hosts SET last_update = 0');
    const writer = new DatabaseSync(file);
    writer.exec('BEGIN IMMEDIATE');
    await clock.advance(1_000);
    const locked = alive();
    writer.exec('COMMIT');
    writer.close();
    await clock.advance(1_000);

    assert.deepEqual([locked, alive()], [0, 1]);
  });

  test('renews its registration before it lapses, and puts it back when it was taken away', async (t) => {
    const { open, sql, clock } = await shared(t);
    const names = await open();
    await names.register(at('orders', 5001));

    sql('UPDATE hosts SET last_update = 0');
    await clock.advance(1_000);
    const renewed = await names.resolve('orders', 'default');
    sql('DELETE FROM hosts');
    await clock.advance(1_000);

    assert.deepEqual(
      [renewed, await names.resolve('orders', 'default')],
      [['127.0.0.1:5001'], ['127.0.0.1:5001']],
    );
  });

  test('a file that is deleted while sidecars use it is made anew, and they find each other and those that come later', async (t) => {
    const { clock, file, open } = await shared(t);
    const [one, two] = [await open(), await open()];
    await one.register(at('orders', 5001));
    await two.register(at('billing', 5002));
    for (const end of ['', '-wal', '-shm']) await rm(`${file}${end}`, { force: true });
    // What cleans up folders for temporary files does this after ten days.
    await clock.advance(2_000);
    const late = await open();
    await late.register(at('late', 5003));

    assert.deepEqual(
      await Promise.all([
        late.resolve('orders', 'default'),
        late.resolve('billing', 'default'),
        one.resolve('billing', 'default'),
        two.resolve('late', 'default'),
      ]),
      [['127.0.0.1:5001'], ['127.0.0.1:5002'], ['127.0.0.1:5002'], ['127.0.0.1:5003']],
    );
  });

  test('refuses a table name that is more than a name', async () => {
    await assert.rejects(sqliteNames({ path: ':memory:', tableName: 'a; DROP', log }), {
      name: 'RangeError',
    });
  });
});

async function shared(t: TestContext) {
  const file = path.join(await temporaryFolder(t), 'names.db');
  const clock = new VirtualClock();
  const opened: NameResolver[] = [];
  t.after(() => Promise.all(opened.map((names) => names.close())));
  return {
    clock,
    file,
    /** Rows that Dapr's resolver would find. */
    alive() {
      const db = new DatabaseSync(file);
      const sql = 'SELECT count(*) AS alive FROM hosts WHERE unixepoch() - last_update < 5';
      const row = db.prepare(sql).get()!;
      db.close();
      return row.alive;
    },
    async open() {
      const names = await sqliteNames({ path: file, clock, log });
      opened.push(names);
      return names;
    },
    sql(text: string) {
      const db = new DatabaseSync(file);
      db.exec(text);
      db.close();
    },
  };
}
