import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { memoryStore } from '../memory-store.ts';
import { runJobs, shortly } from '../testing/run-jobs.ts';
import type { Job } from './job.ts';
import { openJobs } from './jobs.ts';

describe('stopping a worker', () => {
  test('what is at work is finished, and nothing more is begun', async () => {
    const { events, stats, result } = await runJobs(
      { work: () => clockOf.sleep(3_000) },
      async ({ enqueue, clock, worker }) => {
        clockOf = clock;
        await enqueue('a', 'b', 'c');
        await clock.sleep(10);
        await worker.stop();
        return worker.inspect().state;
      },
      { concurrency: 2 },
    );

    assert.deepEqual(shortly(events), ['started a#1', 'started b#1', 'done a#1', 'done b#1']);
    assert.deepEqual([stats.queued, stats.successful, result], [1, 2, 'stopped']);
  });

  test('what has not ended in time is aborted, given back at once, and does not count', async () => {
    const reasons: unknown[] = [];
    const { events, result } = await runJobs(
      {
        work(job) {
          job.signal.addEventListener('abort', () => reasons.push(job.signal.reason.code));
          return clockOf.sleep(60_000);
        },
      },
      async ({ enqueue, clock, worker, store }) => {
        clockOf = clock;
        await enqueue('a');
        await clock.sleep(10);
        const beganMs = clock.now();
        await worker.stop({ graceMs: 500 });
        const tookMs = clock.now() - beganMs;
        const [lease] = await store.lease(1, 1_000);
        await store.release([lease!], { delayMs: 0, attempted: false });
        return { tookMs, delivery: lease?.delivery };
      },
    );

    assert.deepEqual(shortly(events).slice(0, 2), ['started a#1', 'returned a#1']);
    assert.deepEqual([result, reasons], [{ tookMs: 500, delivery: 1 }, ['WORKER_STOPPED']]);
  });

  test('those of a key that wait behind the one at work are given back', async () => {
    const { stats, events } = await runJobs(
      { work: () => clockOf.sleep(1_000) },
      async ({ jobs, clock, worker }) => {
        clockOf = clock;
        await jobs.enqueue(['1', '2'].map((id) => ({ id, topic: 'work', key: 'k', body: '' })));
        await clock.sleep(10);
        await worker.stop();
      },
    );

    assert.deepEqual([stats.queued, stats.successful], [1, 1]);
    assert.deepEqual(shortly(events), ['started 1#1', 'done 1#1']);
  });

  test('closing the jobs stops their workers first', async () => {
    const clock = new VirtualClock();
    const jobs = await openJobs({ store: memoryStore({ clock }), clock });
    const worker = jobs.work({ work: () => clock.sleep(100) });
    await clock.run(async () => {
      await jobs.enqueue([{ topic: 'work', body: '' }]);
      await clock.sleep(10);
      await jobs.close();
    });

    assert.equal(worker.inspect().done, 1);
    assert.equal(clock.pendingTimers, 0);
    await assert.rejects(jobs.enqueue([{ topic: 'work', body: '' }]), { code: 'OUTBOX_CLOSED' });
    assert.throws(() => jobs.work({ work: () => {} }), { code: 'OUTBOX_CLOSED' });
  });
});

describe('cancelling a job', () => {
  test('one that waits is never begun, and its status says so', async () => {
    const { result, events, stats } = await runJobs({ work: () => {} }, async ({ jobs, clock }) => {
      await jobs.enqueue([{ id: 'a', topic: 'work', body: '', delayMs: 5_000 }]);
      const cancelled = await jobs.cancel('a');
      await clock.sleep(10_000);
      return [cancelled, (await jobs.status('a'))?.state, await jobs.cancel('a')];
    });

    assert.deepEqual([result, shortly(events), stats.queued], [[true, 'cancelled', false], [], 0]);
  });

  test('of one at work the signal aborts at once, and the next begins', async () => {
    const at: [string, number][] = [];
    const { events, stats } = await runJobs(
      {
        async work(job) {
          at.push([job.id, clockOf.now()]);
          if (job.id === 'a') await untilAborted(job);
        },
      },
      async ({ enqueue, jobs, clock }) => {
        clockOf = clock;
        await enqueue('a', 'b');
        await clock.sleep(50);
        await jobs.cancel('a');
        await clock.sleep(1);
      },
      { concurrency: 1, pollMs: 600_000 },
    );

    assert.deepEqual(
      at.map(([id]) => id),
      ['a', 'b'],
    );
    assert.equal(at[1]![1] - at[0]![1], 50);
    assert.deepEqual(shortly(events), ['started a#1', 'cancelled a#1', 'started b#1', 'done b#1']);
    assert.deepEqual([stats.successful, stats.dead, stats.queued], [1, 0, 0]);
  });

  test('of one at work in another process the signal aborts when its lease is next renewed', async () => {
    const aborts: unknown[] = [];
    const { events, result } = await runJobs(
      {
        work(job) {
          job.signal.addEventListener('abort', () =>
            aborts.push(job.signal.reason.code, Math.round(clockOf.now() / 1_000)),
          );
          return untilAborted(job);
        },
      },
      async ({ enqueue, clock, store }) => {
        clockOf = clock;
        const elsewhere = await openJobs({ store, clock });
        await enqueue('a');
        await clock.sleep(50);
        await elsewhere.cancel('a');
        await clock.sleep(20_000);
        return (await elsewhere.status('a'))?.state;
      },
      { leaseMs: 10_000, pollMs: 500 },
    );

    assert.equal(aborts[0], 'JOB_CANCELLED');
    assert.ok((aborts[1] as number) <= 6, `after ${aborts[1]} s`);
    assert.deepEqual([shortly(events), result], [['started a#1', 'cancelled a#1'], 'cancelled']);
  });

  test('one that ends all the same was cancelled, not done', async () => {
    const { stats, events } = await runJobs(
      { work: () => clockOf.sleep(1_000) },
      async ({ enqueue, clock, store }) => {
        clockOf = clock;
        await enqueue('a');
        await clock.sleep(50);
        await store.withdraw(['a']);
        await clock.sleep(5_000);
      },
    );

    assert.deepEqual(shortly(events), ['started a#1', 'cancelled a#1']);
    assert.deepEqual([stats.successful, stats.queued], [0, 0]);
  });
});

describe('a job that ends its workers', () => {
  test('is dead after as many deliveries as it may have, although no failure was ever said', async () => {
    const { result, events, calls } = await afterCrashes(3, 3);

    assert.equal(calls, 0, 'it is not begun once more');
    assert.deepEqual(shortly(events), ['died a#4']);
    assert.match(result?.reason ?? '', /^handed over 3 times, and nobody said how it ended/);
  });

  test('has its last delivery alone, so that it takes no innocent job with it', async () => {
    const { besideA, calls } = await afterCrashes(2, 3);
    assert.deepEqual([besideA, calls], [['a'], 1]);
  });

  test('one whose failures were all said needs no such care', async () => {
    let most = 0;
    let now = 0;
    await runJobs(
      {
        async work(job) {
          now += 1;
          most = Math.max(most, now);
          await clockOf.sleep(100);
          now -= 1;
          if (job.delivery < 3) throw new Error('not yet');
        },
      },
      async ({ enqueue, clock }) => {
        clockOf = clock;
        await enqueue('a', 'b', 'c');
        await clock.sleep(60_000);
      },
      { maxDeliveries: 3 },
    );

    assert.equal(most, 3);
  });

  /** Jobs a, b and c were leased so often by workers that died; then a worker of `maxDeliveries` comes. */
  async function afterCrashes(times: number, maxDeliveries: number) {
    let calls = 0;
    const now = new Set<string>();
    const besideA = new Set<string>();
    const { result, events } = await runJobs(
      { other: () => {} },
      async ({ enqueue, clock, store, jobs, events }) => {
        await enqueue('a');
        for (let n = 0; n < times; n += 1) {
          await store.lease(10, 100, ['work']);
          await clock.sleep(101);
        }
        const worker = jobs.work(
          {
            async work({ id }) {
              calls += 1;
              now.add(id);
              if (now.has('a')) for (const each of now) besideA.add(each);
              await clock.sleep(100);
              now.delete(id);
            },
          },
          { maxDeliveries, onEvent: (event) => events.push(event) },
        );
        await enqueue('b', 'c');
        await clock.sleep(5_000);
        await worker.stop();
        return jobs.dead.find('a');
      },
    );
    const ofA = events.filter((event) => 'id' in event && event.id === 'a');
    return { result, events: ofA, calls: calls - 2, besideA: [...besideA] };
  }
});

/** The clock of the test that runs. */
let clockOf: { now(): number; sleep(ms: number): Promise<void> };

function untilAborted({ signal }: Job): Promise<void> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}
