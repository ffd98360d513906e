import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sqliteStore } from '../../sqlite/index.ts';
import { SCHEMA_VERSION } from '../../sqlite/schema.ts';
import type { PhaseBooks, PhaseSettings } from './phase-books.ts';
import { Victim } from './victim.ts';

const VERSION_1 = fileURLToPath(new URL('../../sqlite/testing/outbox-v1.db', import.meta.url));
const FILES = 60;
/** What is in the file of version 1. */
const KEPT = { queued: 3, successful: 1, dead: 1 };

/** A process that brings files of version 1 up to date is killed: each is as it was, or done. */
export async function upgradePhase({
  kills,
  random,
  directory,
  defer,
}: PhaseSettings): Promise<PhaseBooks> {
  const wrong: string[] = [];
  let caught = 0;
  const totals = { queued: 0, successful: 0, dead: 0 };
  for (let kill = 0; kill < kills; kill += 1) {
    const folder = join(directory, String(kill));
    await mkdir(folder);
    const files = Array.from({ length: FILES }, (_, n) => join(folder, `${n}.db`));
    for (const file of files) await copyFile(VERSION_1, file);
    const upgrade = new Victim('./upgrade-process.ts', () => files);
    defer(() => upgrade.end('SIGKILL'));
    await upgrade.start();
    await sleep(random.next() * 150);
    await upgrade.end('SIGKILL');

    const versions = files.map(versionOf);
    if (versions.includes(1) && versions.includes(SCHEMA_VERSION)) caught += 1;
    for (const [n, version] of versions.entries()) {
      if (version !== 1 && version !== SCHEMA_VERSION) {
        wrong.push(`${files[n]} is neither of version 1 nor of ${SCHEMA_VERSION}`);
      }
    }
    for (const path of files) {
      const store = sqliteStore({ path });
      const { queued, successful, dead } = await store.stats();
      await store.close();
      const found = { queued, successful, dead };
      if (JSON.stringify(found) !== JSON.stringify(KEPT)) {
        wrong.push(`${path} has ${JSON.stringify(found)}`);
      }
      totals.queued += queued;
      totals.successful += successful;
      totals.dead += dead;
    }
    await rm(folder, { recursive: true });
  }
  return {
    kills,
    accepted: kills * FILES * 5,
    delivered: totals.successful,
    duplicates: 0,
    queued: totals.queued,
    dead: totals.dead,
    lost: [],
    wrong,
    note: `${caught} kills came in between, ${FILES} files each`,
  };
}

/** As another process finds it, which rolls back what was not finished; undefined where it is not what its version is. */
function versionOf(path: string): unknown {
  const database = new DatabaseSync(path);
  const row = database.prepare('PRAGMA user_version').get();
  const columns = database.prepare("SELECT count(*) AS n FROM pragma_table_info('message')").get();
  database.close();
  return columns?.n ===
    { 1: 16, 2: 18, 3: 20, 4: 21, 5: 25 }[row?.user_version as 1 | 2 | 3 | 4 | 5]
    ? row?.user_version
    : undefined;
}
