import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { seededRandom } from '@holdfast/core/testing';
import { describeBooks } from '../testing/crash/phase-books.ts';
import { powerPhase } from '../testing/crash/power-phase.ts';
import { compileFrailDisk } from '../testing/disk/frail-disk.ts';
import { tempDir } from '../testing/temp-dir.ts';

const SEED = Number(process.env.HOLDFAST_SEED ?? 1);
const KILLS = Number(process.env.HOLDFAST_POWER_CUTS ?? 8);

test(`${KILLS} power cuts in front of, in the middle of and behind writes and flushes lose nothing that was accepted`, async (t) => {
  await cutPower(t, false);
});

/*
 * What was accepted after a flush had failed was gone at a power cut: the transaction that was refused
 * for it was in the log as the system showed it, and not on the disk, and what came after hung on it.
 */
test(`${KILLS} power cuts after flushes and writes that failed (EIO, ENOSPC, EROFS) lose nothing that was accepted`, async (t) => {
  await cutPower(t, true);
});

async function cutPower(t: TestContext, faults: boolean): Promise<void> {
  const directory = await tempDir(t);
  const disk = await compileFrailDisk(directory);
  if (typeof disk === 'string') {
    t.skip(disk);
    return;
  }
  const books = await powerPhase({
    kills: KILLS,
    random: seededRandom(SEED),
    directory: await mkdtemp(join(directory, 'phase-')),
    defer: (work) => t.after(work),
    disk,
    faults,
  });
  t.diagnostic(describeBooks(`seed ${SEED}`, books));
  assert.deepEqual({ lost: books.lost, wrong: books.wrong }, { lost: [], wrong: [] });
  assert.ok(books.accepted > KILLS && books.kills === KILLS, 'there was traffic, and kills');
}
