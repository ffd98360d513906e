import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@holdfast/core/testing';
import { describeBooks } from '../testing/crash/phase-books.ts';
import { replayPhase } from '../testing/crash/replay-phase.ts';
import { upgradePhase } from '../testing/crash/upgrade-phase.ts';
import { tempDir } from '../testing/temp-dir.ts';

const SEED = Number(process.env.HOLDFAST_SEED ?? 1);
const KILLS = Number(process.env.HOLDFAST_UPGRADE_KILLS ?? 6);

test(`a process killed ${KILLS} times while it brings files up to date leaves each as it was, or done`, async (t) => {
  const books = await upgradePhase({
    kills: KILLS,
    random: seededRandom(SEED),
    directory: await tempDir(t),
    defer: (work) => t.after(work),
  });
  t.diagnostic(describeBooks(`seed ${SEED}`, books));
  assert.deepEqual(books.wrong, []);
});

test(`a process killed ${KILLS} times while it replays dead letters leaves each dead or queued, and never both`, async (t) => {
  const books = await replayPhase({
    kills: KILLS,
    random: seededRandom(SEED),
    directory: await tempDir(t),
    defer: (work) => t.after(work),
  });
  t.diagnostic(describeBooks(`seed ${SEED}`, books));
  assert.deepEqual(
    { lost: books.lost, wrong: books.wrong, duplicates: books.duplicates },
    { lost: [], wrong: [], duplicates: 0 },
  );
  assert.ok(books.delivered > 0, 'some were replayed');
});
