import assert from 'node:assert/strict';
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

  test('does not see a registration that was not renewed in time', async (t) => {
    const { open, sql } = await shared(t);
    const names = await open();
    await names.register(at('orders', 5001));

    sql('UPDATE hosts SET last_update = last_update - 5');

    assert.deepEqual(await names.resolve('orders', 'default'), []);
  });

  test('renews its registration before it lapses, and puts it back when it was taken away', async (t) => {
    const { open, sql, clock } = await shared(t);
    const names = await open();
    await names.register(at('orders', 5001));

    sql('UPDATE hosts SET last_update = 0');
    await clock.advance(4_000);
    const renewed = await names.resolve('orders', 'default');
    sql('DELETE FROM hosts');
    await clock.advance(4_000);

    assert.deepEqual(
      [renewed, await names.resolve('orders', 'default')],
      [['127.0.0.1:5001'], ['127.0.0.1:5001']],
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
