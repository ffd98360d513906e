import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '@holdfast/core/testing';
import { Victim } from '../testing/crash/victim.ts';
import { tempDir } from '../testing/temp-dir.ts';
import { sqliteStore } from './sqlite-store.ts';

const VERSION_1 = fileURLToPath(new URL('./testing/outbox-v1.db', import.meta.url));
const SEED = Number(process.env.HOLDFAST_SEED ?? 1);
const KILLS = Number(process.env.HOLDFAST_UPGRADE_KILLS ?? 6);
const FILES = 60;

test(`a process killed ${KILLS} times while it brings files up to date leaves each as it was, or done`, async (t) => {
  const directory = await tempDir(t);
  const random = seededRandom(SEED);
  let caught = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const files = Array.from({ length: FILES }, (_, n) => join(directory, `${kill}-${n}.db`));
    for (const file of files) await copyFile(VERSION_1, file);
    const upgrade = new Victim('./upgrade-process.ts', () => files);
    await upgrade.start();
    await sleep(random.next() * 150);
    await upgrade.end('SIGKILL');

    const versions = files.map(versionOf);
    if (versions.includes(1) && versions.includes(2)) caught += 1;
    assert.ok(
      versions.every((version) => version === 1 || version === 2),
      versions.join(' '),
    );
    for (const path of files) {
      const store = sqliteStore({ path });
      const { queued, successful, dead } = await store.stats();
      await store.close();
      assert.deepEqual({ queued, successful, dead }, { queued: 3, successful: 1, dead: 1 }, path);
    }
  }
  t.diagnostic(`seed ${SEED}: ${caught} of ${KILLS} kills came in between`);
});

/** As another process finds it, which rolls back what was not finished. */
function versionOf(path: string): unknown {
  const database = new DatabaseSync(path);
  const row = database.prepare('PRAGMA user_version').get();
  const columns = database.prepare("SELECT count(*) AS n FROM pragma_table_info('message')").get();
  database.close();
  assert.equal(
    columns?.n,
    row?.user_version === 1 ? 16 : 18,
    `${path} is neither one nor the other`,
  );
  return row?.user_version;
}
