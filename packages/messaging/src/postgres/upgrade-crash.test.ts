import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@holdfast/core/testing';
import { describeBooks } from '../testing/crash/phase-books.ts';
import { postgresUpgradePhase } from '../testing/crash/postgres-upgrade-phase.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';

const SEED = Number(process.env.HOLDFAST_SEED ?? 1);
const KILLS = Number(process.env.HOLDFAST_UPGRADE_KILLS ?? 3);

await postgresSuite('upgrades of PostgreSQL that are killed', ({ server, pool }) => {
  test(`${KILLS} kills of processes, and of the server, while three bring schemas up to date leave each as it was, or done`, async (t) => {
    const books = await postgresUpgradePhase({
      kills: KILLS,
      random: seededRandom(SEED),
      defer: (work) => t.after(work),
      server,
      pool,
    });

    t.diagnostic(describeBooks(`seed ${SEED}`, books));
    assert.deepEqual({ lost: books.lost, wrong: books.wrong }, { lost: [], wrong: [] });
  });
});
