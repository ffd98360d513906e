import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { sqliteStore } from '../sqlite/index.ts';
import { Victim } from '../testing/crash/victim.ts';
import { eventually } from '../testing/eventually.ts';
import { tempDir } from '../testing/temp-dir.ts';
import { openJobs } from './jobs.ts';

describe('workers as processes', () => {
  test('SIGTERM: what runs is finished, what does not end in time is given back uncounted, and the process exits with 0', async (t) => {
    const { jobs, worker, lines, said } = await workers(t, 30_000);
    await jobs.enqueue([
      { id: 'quick', topic: 'quick', body: '' },
      { id: 'hang', topic: 'hang', body: '' },
    ]);
    const [one] = await worker(1);
    await said('begun quick#1', 'begun hang#1');

    const code = await one!.end('SIGTERM');
    await jobs.enqueue([{ id: 'late', topic: 'quick', body: '' }]);
    const status = await jobs.status('hang');
    await worker(1);
    await said('begun hang#1', 'begun hang#1', 'done late#1');

    assert.equal(code, 0);
    assert.ok(lines.includes('done quick#1') && lines.includes('aborted hang#1 WORKER_STOPPED'));
    assert.deepEqual([status?.state, status?.deliveries], ['queued', 0]);
  });

  test('SIGKILL: another worker has its jobs when their leases are over', async (t) => {
    const leaseMs = 3_000;
    const { jobs, worker, lines, said } = await workers(t, leaseMs);
    await jobs.enqueue([{ id: 'a', topic: 'hang', body: '' }]);
    const [one] = await worker(1);
    await said('begun a#1');
    await worker(1);
    const killedAtMs = performance.now();
    await one!.end('SIGKILL');

    await said('begun a#2');
    t.diagnostic(
      `taken over ${Math.round(performance.now() - killedAtMs)} ms after the kill, lease ${leaseMs} ms`,
    );
    assert.equal(lines.filter((line) => line.startsWith('begun a')).length, 2);
  });

  test('SIGSTOP: when the process goes on it is told that its lease was lost, and its handler aborts', async (t) => {
    const { jobs, worker, said } = await workers(t, 800);
    await jobs.enqueue([{ id: 'a', topic: 'hang', body: '' }]);
    const [one] = await worker(1);
    await said('begun a#1');
    await worker(1);

    one!.signal('SIGSTOP');
    await said('begun a#2');
    one!.signal('SIGCONT');

    await said('aborted a#1 JOB_LEASE_LOST');
  });

  test('a job that kills its process is dead after three deliveries, and those beside it are done', async (t) => {
    const { jobs, worker, lines } = await workers(t, 1_200);
    await jobs.enqueue([
      { id: 'killer', topic: 'kill', body: '' },
      ...['a', 'b', 'c', 'd'].map((id) => ({ id, topic: 'quick', body: '' })),
    ]);
    const [one] = await worker(1);
    for (let kill = 0; kill < 3; kill += 1) {
      await one!.ended();
      await one!.start();
    }
    const stats = await eventually(
      () => jobs.stats(),
      ({ queued }) => queued === 0,
      'all jobs have ended',
    );

    const letter = await jobs.dead.find('killer');
    assert.deepEqual([stats.successful, stats.dead], [4, 1]);
    assert.match(letter?.reason ?? '', /^handed over 3 times, and nobody said how it ended/);
    assert.equal(lines.filter((line) => line.startsWith('begun killer')).length, 3);
  });

  test('how far a job is, is seen from another process, until its worker was killed and its lease is over', async (t) => {
    const { jobs, worker, said } = await workers(t, 2_000);
    await jobs.enqueue([{ id: 'a', topic: 'tell', body: '' }]);
    const [one] = await worker(1);
    await said('begun a#1');

    const running = await eventually(
      () => jobs.status('a'),
      (status) => status?.progress === 'half',
      'it is told',
    );
    await one!.end('SIGKILL');
    const after = await eventually(
      () => jobs.status('a'),
      (status) => status?.state === 'queued',
      'its lease is over',
    );

    assert.deepEqual([running?.state, running?.deliveries], ['running', 1]);
    assert.equal(after?.progress, undefined);
  });

  test('a job is cancelled in another process, which hears of it within half a lease', async (t) => {
    const { jobs, worker, said } = await workers(t, 4_000);
    await jobs.enqueue([{ id: 'a', topic: 'hang', body: '' }]);
    await worker(1);
    await said('begun a#1');

    assert.equal(await jobs.cancel('a'), true);
    await said('aborted a#1 JOB_CANCELLED');

    assert.equal((await jobs.status('a'))?.state, 'cancelled');
  });
});

/** Jobs in a file, processes that handle them, and what they print. */
async function workers(t: TestContext, leaseMs: number) {
  const path = join(await tempDir(t), 'jobs.db');
  const jobs = await openJobs({ store: sqliteStore({ path, busyTimeoutMs: 5_000 }) });
  const lines: string[] = [];
  const victims: Victim[] = [];
  t.after(async () => {
    await Promise.all(victims.map((victim) => victim.end('SIGKILL')));
    await jobs.close();
  });
  return {
    jobs,
    lines,
    async worker(count: number) {
      const started = Array.from(
        { length: count },
        () =>
          new Victim(
            './jobs-process.ts',
            () => [path, String(leaseMs)],
            (l) => lines.push(l),
          ),
      );
      victims.push(...started);
      await Promise.all(started.map((victim) => victim.start()));
      return started;
    },
    /** Waits until each has been printed, as often as it is given. */
    async said(...expected: string[]) {
      const missing = () =>
        expected.filter(
          (line) =>
            lines.filter((each) => each === line).length <
            expected.filter((each) => each === line).length,
        );
      await eventually(missing, (left) => left.length === 0, 'printed');
    },
  };
}
