import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runJobs } from '../testing/run-jobs.ts';

describe('what a worker tells of itself', () => {
  test('its snapshot tells how busy it is, and with what', async () => {
    const { result, leftTimers } = await runJobs(
      {
        async work(job) {
          job.progress('40 %');
          await clockOf.sleep(30_000);
        },
      },
      async ({ enqueue, clock, worker, jobs }) => {
        clockOf = clock;
        await enqueue('a');
        await clock.sleep(15_000);
        const { problem, ...snapshot } = worker.inspect();
        const status = await jobs.status('a');
        await clock.sleep(60_000);
        return { snapshot, status, later: worker.inspect() };
      },
      { concurrency: 2 },
    );

    assert.deepEqual(
      { ...result.snapshot, utilisation: Math.round(result.snapshot.utilisation * 100) / 100 },
      {
        state: 'working',
        inFlight: 1,
        concurrency: 2,
        utilisation: 0.5,
        oldestMs: 15_000,
        done: 0,
        failed: 0,
        dead: 0,
        running: [{ id: 'a', topic: 'work', delivery: 1, forMs: 15_000, progress: '40 %' }],
      },
    );
    assert.deepEqual([result.status?.state, result.status?.progress], ['running', '40 %']);
    assert.deepEqual(
      [result.later.state, result.later.done, result.later.inFlight],
      ['idle', 1, 0],
    );
    assert.ok(result.later.utilisation < 0.3);
    assert.equal(leftTimers, 0);
  });

  test('a listener that throws decides nothing', async () => {
    const { stats } = await runJobs(
      { work: () => {} },
      async ({ enqueue, clock }) => {
        await enqueue('a');
        await clock.sleep(10);
      },
      {
        onEvent: () => {
          throw new Error('listener');
        },
      },
    );

    assert.equal(stats.successful, 1);
  });
});

/** The clock of the test that runs. */
let clockOf: { now(): number; sleep(ms: number): Promise<void> };
