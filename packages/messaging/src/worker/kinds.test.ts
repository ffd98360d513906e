import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runJobs } from '../testing/run-jobs.ts';
import { JobsFailedError } from './endings/job-errors.ts';

describe('jobs of several topics, and in batches', () => {
  test('a handler of batches gets as many as it asked for; what failed in one comes again alone', async () => {
    const batches: string[][] = [];
    const { stats } = await runJobs(
      {
        work: {
          batch: 3,
          handle(jobs) {
            batches.push(jobs.map(({ id }) => id));
            if (jobs.some(({ id, delivery }) => id === 'b' && delivery < 3)) throw new Error('b');
          },
        },
      },
      async ({ enqueue, clock }) => {
        await enqueue('a', 'b', 'c', 'd', 'e');
        await clock.sleep(60_000);
      },
      { concurrency: 1 },
    );

    assert.deepEqual(batches, [['a', 'b', 'c'], ['d', 'e'], ['a'], ['b'], ['c'], ['b']]);
    assert.equal(stats.successful, 5);
  });

  test('a handler of batches may say which of them failed', async () => {
    const batches: string[][] = [];
    const { stats } = await runJobs(
      {
        work: {
          batch: 3,
          handle(jobs) {
            batches.push(jobs.map(({ id }) => id));
            if (jobs.length === 3) throw new JobsFailedError(new Map([['b', new Error('no')]]));
          },
        },
      },
      async ({ enqueue, clock }) => {
        await enqueue('a', 'b', 'c');
        await clock.sleep(60_000);
      },
    );

    assert.deepEqual(batches, [['a', 'b', 'c'], ['b']]);
    assert.equal(stats.successful, 3);
  });

  test('a rate is kept, and a topic that is at its rate holds up nobody', async () => {
    const begun: [string, number][] = [];
    await runJobs(
      {
        work: {
          handle: (job) => void begun.push([job.id, Math.round(clockOf.now())]),
          rateLimit: { limit: 1, intervalMs: 10_000 },
        },
        other: (job) => void begun.push([job.id, Math.round(clockOf.now())]),
      },
      async ({ jobs, clock }) => {
        clockOf = clock;
        await jobs.enqueue(
          ['a', 'b', 'c', 'other'].map((id) => ({
            id,
            topic: id === 'other' ? 'other' : 'work',
            body: '',
          })),
        );
        await clock.sleep(40_000);
      },
      { pollMs: 100 },
    );

    const at = new Map(begun);
    assert.deepEqual([at.get('a'), at.get('other')], [0, 0]);
    assert.ok(at.get('b')! >= 10_000 && at.get('b')! < 11_000, `b at ${at.get('b')}`);
    assert.ok(at.get('c')! >= 20_000 && at.get('c')! < 22_000, `c at ${at.get('c')}`);
  });

  test('a topic has a concurrency of its own within that of the worker', async () => {
    const at = { work: 0, other: 0 };
    const most = { work: 0, other: 0 };
    const busy = (topic: 'work' | 'other') => async () => {
      at[topic] += 1;
      most[topic] = Math.max(most[topic], at[topic]);
      await clockOf.sleep(100);
      at[topic] -= 1;
    };
    await runJobs(
      { work: { handle: busy('work'), concurrency: 1 }, other: busy('other') },
      async ({ enqueue, jobs, clock }) => {
        clockOf = clock;
        await enqueue('a', 'b', 'c', 'd');
        await jobs.enqueue(Array.from({ length: 6 }, () => ({ topic: 'other', body: '' })));
        await clock.sleep(2_000);
      },
      { concurrency: 3 },
    );

    assert.equal(most.work, 1);
    assert.ok(most.other >= 2 && most.other <= 3, `${most.other}`);
  });

  test('jobs without a handler are left to others, and told of', async () => {
    const handled: string[] = [];
    const { events, stats } = await runJobs(
      { other: (job) => void handled.push(job.id) },
      async ({ enqueue, jobs, clock }) => {
        await enqueue('foreign');
        await jobs.enqueue([{ id: 'own', topic: 'other', body: '' }]);
        await clock.sleep(120_000);
      },
    );

    assert.deepEqual([handled, stats.queued, stats.dead], [['own'], 1, 0]);
    assert.deepEqual(events.filter(({ type }) => type === 'unhandled')[0], {
      type: 'unhandled',
      topic: 'work',
      jobs: 1,
    });
  });

  test('where a store does not heed topics, a foreign job is given back and does not die', async () => {
    const { stats, result } = await runJobs(
      { other: () => {} },
      async ({ enqueue, clock, jobs }) => {
        await enqueue('foreign');
        await clock.sleep(120_000);
        return jobs.status('foreign');
      },
      {
        storeOf: (real) => ({ ...real, lease: (limit, leaseMs) => real.lease(limit, leaseMs) }),
      },
    );

    assert.deepEqual([stats.queued, stats.dead, result?.deliveries], [1, 0, 0]);
  });
});

/** The clock of the test that runs. */
let clockOf: { now(): number; sleep(ms: number): Promise<void> };
