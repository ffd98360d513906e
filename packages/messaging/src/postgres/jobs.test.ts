import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Victim } from '../testing/crash/victim.ts';
import { eventually } from '../testing/eventually.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';
import type { WorkerEvent } from '../worker/events.ts';
import { openJobs } from '../worker/jobs.ts';
import { postgresInbox } from './inbox.ts';
import { postgresStore } from './postgres-store.ts';

await postgresSuite('jobs on PostgreSQL', ({ server, pool, newPool, newSchema }) => {
  const open = (schema: string) => openJobs({ store: postgresStore({ pool: newPool(), schema }) });

  test('two processes share the jobs, keep the order of each key, and make each effect once', async (t) => {
    const schema = newSchema();
    await pool.query(`CREATE TABLE ${schema}_effect (n bigserial, id text, key text, who integer)`);
    const queues = await Promise.all([open(schema), open(schema)]);
    t.after(() => Promise.all(queues.map((queue) => queue.close())));
    const inbox = await postgresInbox({ pool });
    const failed = new Set<string>();
    queues.forEach((queue, who) => {
      queue.work(
        {
          async work(job) {
            await inbox.once(`${schema}/${job.id}`, async (client) => {
              await client.query(
                `INSERT INTO ${schema}_effect (id, key, who) VALUES ($1, $2, $3)`,
                [job.id, job.key, who],
              );
            });
            await sleep(2);
            // After the effect: without the inbox it would be made twice.
            if (job.id.endsWith('7') && !failed.has(job.id)) {
              failed.add(job.id);
              throw new Error('died after the effect');
            }
          },
        },
        { concurrency: 4, delayMs: 10, pollMs: 50 },
      );
    });
    const ids = Array.from({ length: 200 }, (_, n) => `j${String(n).padStart(3, '0')}`);
    await queues[0]!.enqueue(
      ids.map((id, n) => ({ id, topic: 'work', key: `k${n % 12}`, body: '' })),
    );

    await eventually(
      () => queues[0]!.stats(),
      ({ queued }) => queued === 0,
      'all are done',
    );
    const { rows } = await pool.query(`SELECT id, key, who FROM ${schema}_effect ORDER BY n`);

    assert.deepEqual(rows.map(({ id }) => id).toSorted(), ids);
    for (let k = 0; k < 12; k += 1) {
      const ofKey = rows.filter(({ key }) => key === `k${k}`).map(({ id }) => id);
      assert.deepEqual(ofKey, ofKey.toSorted(), `order of k${k}`);
    }
    assert.equal(failed.size, 20);
    t.diagnostic(`shares: ${[0, 1].map((who) => rows.filter((row) => row.who === who).length)}`);
  });

  test('a job enqueued by another process is begun at once, and cancelled by it', async (t) => {
    const schema = newSchema();
    const [front, back] = await Promise.all([open(schema), open(schema)]);
    t.after(() => Promise.all([front.close(), back.close()]));
    const events: WorkerEvent[] = [];
    const worker = back.work(
      {
        work: ({ signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
          }),
      },
      // Polling would take ten minutes: it is woken.
      { leaseMs: 4_000, pollMs: 600_000, onEvent: (event) => events.push(event) },
    );
    await eventually(
      () => pool.query(`SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%${schema}%'`),
      ({ rows }) => rows.length >= 2,
      'they listen',
    );

    await front.enqueue([{ id: 'a', topic: 'work', body: '' }]);
    await eventually(
      () => worker.inspect().inFlight,
      (count) => count === 1,
      'it runs',
    );
    assert.equal(await front.cancel('a'), true);
    await eventually(
      () => worker.inspect().inFlight,
      (count) => count === 0,
      'it has ended',
    );

    assert.deepEqual(
      events.map(({ type }) => type),
      ['started', 'cancelled'],
    );
    assert.equal((await front.status('a'))?.state, 'cancelled');
  });

  test('how far a job is, is seen from another process, and not any more when it is over', async (t) => {
    const schema = newSchema();
    const jobs = await open(schema);
    const worker = new Victim('./jobs-process.ts', () => [`${server.url}#${schema}`, '2000']);
    t.after(async () => {
      await worker.end('SIGKILL');
      await jobs.close();
    });
    await jobs.enqueue([{ id: 'a', topic: 'tell', body: '' }]);
    await worker.start();

    const running = await eventually(
      () => jobs.status('a'),
      (status) => status?.progress === 'half',
      'it is told',
    );
    await jobs.cancel('a');
    const { rows } = await pool.query(`SELECT progress FROM ${schema}.message`);
    const after = await jobs.status('a');

    assert.deepEqual([running?.state, running?.deliveries], ['running', 1]);
    assert.deepEqual([after?.state, after?.progress], ['cancelled', undefined]);
    assert.deepEqual(rows, [{ progress: null }], 'nor is it kept');
  });
});
