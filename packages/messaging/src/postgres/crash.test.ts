import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@holdfast/core/testing';
import { describeBooks } from '../testing/crash/phase-books.ts';
import { type LogRow, outOfOrder, postgresPhase } from '../testing/crash/postgres-phase.ts';
import { Victim } from '../testing/crash/victim.ts';
import { eventually } from '../testing/eventually.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';
import { postgresStore } from './postgres-store.ts';

const SEED = Number(process.env.HOLDFAST_SEED ?? 1);
const KILLS = Number(process.env.HOLDFAST_DATABASE_KILLS ?? 4);
const ROOMY = { maxMessages: 100_000, maxBytes: 100_000_000 };

await postgresSuite('crashes on PostgreSQL', ({ server, pool, newSchema }) => {
  test('two processes that lease at once never get the same message, and keep the order of each key', async (t) => {
    const { schema, store, log } = await logged();
    const messages = Array.from({ length: 2_000 }, (_, n) => ({
      id: `m${String(n).padStart(5, '0')}`,
      topic: 'crash',
      key: n % 4 === 0 ? undefined : `key-${n % 25}`,
      body: Buffer.from('x'),
      headers: {},
    }));
    await store.append([messages], ROOMY);
    const workers = await started(t, 2, () => [server.url, schema, '60000']);

    await eventually(
      () => store.stats(),
      ({ queued }) => queued === 0,
      'all is delivered',
    );
    await Promise.all(workers.map((worker) => worker.end('SIGTERM')));
    const rows = await log();

    assert.deepEqual(
      rows.map(({ id }) => id).toSorted(),
      messages.map(({ id }) => id),
    );
    assert.deepEqual(outOfOrder(rows), []);
    const shares = new Map<number, number>();
    for (const { worker } of rows) shares.set(worker, (shares.get(worker) ?? 0) + 1);
    assert.equal(shares.size, 2, 'both worked');
    t.diagnostic(`shares: ${[...shares.values()].join(' + ')}`);
  });

  test('what a stopped process holds is taken over when its lease is over, and what it does later changes nothing', async (t) => {
    const { schema, store, log } = await logged();
    const messages = Array.from({ length: 1_500 }, (_, n) => ({
      id: `m${String(n).padStart(5, '0')}`,
      topic: 'crash',
      key: `key-${n % 20}`,
      body: Buffer.from('x'),
      headers: {},
    }));
    await store.append([messages], ROOMY);
    const args = () => [server.url, schema, '1500'];
    const [stopped] = await started(t, 1, args);
    const held = async () => {
      const { rows } = await pool.query(
        `SELECT count(*)::integer AS held FROM ${schema}.message WHERE lease IS NOT NULL`,
      );
      return rows[0].held as number;
    };
    let holds = 0;
    // Until it is caught with something in its hands.
    for (;;) {
      stopped!.signal('SIGSTOP');
      await sleep(50);
      holds = await held();
      if (holds > 0) break;
      stopped!.signal('SIGCONT');
      await sleep(5);
    }
    const others = await started(t, 2, args);
    const workers = [stopped!, ...others];

    await eventually(
      () => store.stats(),
      ({ queued }) => queued === 0,
      'the others empty the queue',
    );
    for (const worker of workers) worker.signal('SIGCONT');
    await Promise.all(workers.map((worker) => worker.end('SIGTERM')));
    const rows = await log();
    const { queued, successful, dead } = await store.stats();

    assert.deepEqual(
      [...new Set(rows.map(({ id }) => id))].sort(),
      messages.map(({ id }) => id),
    );
    assert.deepEqual(outOfOrder(rows), []);
    assert.deepEqual({ queued, successful, dead }, { queued: 0, successful: 1_500, dead: 0 });
    t.diagnostic(`held ${holds}, duplicates ${rows.length - messages.length}`);
  });

  test(`PostgreSQL killed and started again ${KILLS} times under load, and workers and producers too, loses nothing`, async (t) => {
    const books = await postgresPhase({
      kills: 2 * KILLS,
      random: seededRandom(SEED),
      defer: (work) => t.after(work),
      server,
      pool,
      schema: newSchema(),
    });

    t.diagnostic(describeBooks(`seed ${SEED}`, books));
    assert.deepEqual({ lost: books.lost, wrong: books.wrong }, { lost: [], wrong: [] });
    assert.ok(books.accepted > 100, 'there was traffic');
  });

  async function logged() {
    const schema = newSchema();
    const store = postgresStore({ pool, schema });
    await store.open();
    await pool.query(
      `CREATE TABLE ${schema}_log (n bigserial PRIMARY KEY, id text, key text, worker integer)`,
    );
    const log = async () => {
      const { rows } = await pool.query(`SELECT id, key, worker FROM ${schema}_log ORDER BY n`);
      return rows as LogRow[];
    };
    return { schema, store, log };
  }
});

/** Processes of one kind; `args` is told which of them it is, and stays so when it is started again. */
async function started(
  t: TestContext,
  count: number,
  args: (which: number) => readonly string[],
  program = './postgres-worker-process.ts',
  onLine?: (line: string) => void,
): Promise<readonly Victim[]> {
  const victims = Array.from(
    { length: count },
    (_, which) => new Victim(program, () => args(which), onLine),
  );
  t.after(() => Promise.all(victims.map((victim) => victim.end('SIGKILL'))));
  await Promise.all(victims.map((victim) => victim.start()));
  return victims;
}
