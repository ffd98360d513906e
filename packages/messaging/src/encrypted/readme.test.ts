import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openOutbox, textOf } from '@holdfast/messaging';
import { encryptedStore, keysFromText } from '@holdfast/messaging/encrypted';
import { sqliteStore } from '@holdfast/messaging/sqlite';
import { tempDir } from '../testing/temp-dir.ts';

test('the example of the page on encryption runs', async (t) => {
  const directory = await tempDir(t);
  const path = join(directory, 'outbox.db');
  const keyFile = join(directory, 'outbox.keys');
  await writeFile(keyFile, `k2026 ${Buffer.alloc(32, 7).toString('base64')}\n`);

  const keys = keysFromText(keyFile, await readFile(keyFile, 'utf8'));
  const store = encryptedStore(sqliteStore({ path }), { keys });
  const outbox = await openOutbox({ store });

  const { unneeded } = await store.rotate(); // ids of old keys that nothing needs any more

  t.after(() => outbox.close());
  await outbox.accept([{ topic: 'orders', body: 'a secret' }]);
  const [lease] = await store.lease(1, 1_000);
  assert.deepEqual([unneeded, textOf(lease!.message)], [[], 'a secret']);
});
