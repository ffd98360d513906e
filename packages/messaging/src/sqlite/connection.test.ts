import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { tempDir } from '../testing/temp-dir.ts';
import { Connection } from './connection.ts';

test('what must not be lost is flushed, also after something that need not be', async (t) => {
  const connection = new Connection({
    path: join(await tempDir(t), 'some.db'),
    clock: new VirtualClock(),
    busyTimeoutMs: 100,
    prepare: (database) => void database.exec('CREATE TABLE IF NOT EXISTS thing (n INTEGER)'),
  });
  t.after(() => connection.close());
  const FULL = 2;
  const NORMAL = 1;
  const seen: unknown[] = [];
  const work: Parameters<typeof connection.write<void>>[0] = (database) => {
    database.exec('INSERT INTO thing VALUES (1)');
    seen.push(database.prepare('PRAGMA synchronous').get()?.synchronous);
  };

  connection.write(work);
  connection.writeUnflushed(work);
  connection.writeUnflushed(work);
  connection.write(work);

  assert.deepEqual(seen, [FULL, NORMAL, NORMAL, FULL]);
});
