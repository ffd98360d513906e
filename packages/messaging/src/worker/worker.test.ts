import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { StoreUnavailableError } from '../errors.ts';
import { memoryStore } from '../memory-store.ts';
import { textOf } from '../message.ts';
import type { MessageStore } from '../store.ts';
import { runJobs, shortly } from '../testing/run-jobs.ts';
import { PoisonError, RetryLaterError } from './endings/job-errors.ts';
import type { Job } from './job.ts';
import { openJobs } from './jobs.ts';

describe('worker', () => {
  test('hands jobs over in order, as many at the same time as it was told to', async () => {
    const seen: string[] = [];
    let most = 0;
    let now = 0;
    const { stats } = await runJobs(
      {
        async work(job) {
          now += 1;
          most = Math.max(most, now);
          seen.push(textOf(job));
          await clockOf.sleep(100);
          now -= 1;
        },
      },
      async ({ enqueue, clock }) => {
        clockOf = clock;
        await enqueue('a', 'b', 'c', 'd', 'e');
        await clock.sleep(1_000);
      },
      { concurrency: 2 },
    );

    assert.deepEqual([seen, most], [['a', 'b', 'c', 'd', 'e'], 2]);
    assert.deepEqual([stats.queued, stats.successful, stats.dead], [0, 5, 0]);
  });

  test('begins a job the moment it is enqueued, without waiting for its next poll', async () => {
    const at: number[] = [];
    const clock = new VirtualClock();
    const jobs = await openJobs({ store: memoryStore({ clock }), clock });
    jobs.work({ work: () => void at.push(clock.now()) });
    await clock.advance(1_250);
    await jobs.enqueue([{ topic: 'work', body: '' }]);
    await clock.advance(10);
    await clock.run(() => jobs.close());

    assert.deepEqual(at, [1_250]);
  });

  test('a job that is due later begins when it is due, at its next poll at the latest', async () => {
    const at: number[] = [];
    await runJobs({ work: () => void at.push(clockOf.now()) }, async ({ jobs, clock }) => {
      clockOf = clock;
      await jobs.enqueue([{ topic: 'work', body: '', delayMs: 60_500 }]);
      await clock.sleep(70_000);
    });

    assert.ok(at[0]! >= 60_500 && at[0]! <= 61_500, `${at}`);
  });

  test('a job that fails is handed over again after a delay that doubles, then it is dead with reason, stack and history', async () => {
    const at: number[] = [];
    const { events, result, stats } = await runJobs(
      {
        async work() {
          at.push(clockOf.now());
          throw new Error('no such image');
        },
      },
      async ({ enqueue, clock, jobs }) => {
        clockOf = clock;
        await enqueue('a');
        await clock.sleep(60_000);
        return jobs.dead.find('a');
      },
      { maxDeliveries: 4, delayMs: 1_000, maxDelayMs: 2_500, pollMs: 60_000 },
    );

    assert.deepEqual(
      at.map((ms) => Math.round(ms / 100) * 100),
      [0, 1_000, 3_000, 5_500],
    );
    assert.deepEqual(shortly(events.filter(({ type }) => type !== 'started')), [
      'failed a#1',
      'failed a#2',
      'failed a#3',
      'died a#4',
    ]);
    assert.equal(stats.dead, 1);
    assert.match(
      result?.reason ?? '',
      /^failed 4 times; last: Error: no such image\n {4}at .*worker\.test/,
    );
    assert.deepEqual(
      result?.history.map(({ what }) => what),
      ['failed', 'failed', 'failed', 'died'],
    );
  });

  test('the same failures are one group of dead letters, whatever their stacks', async () => {
    const { result } = await runJobs(
      {
        work(job) {
          if (job.id === 'a') throw new Error('no image 12');
          throw new Error('no image 15');
        },
      },
      async ({ enqueue, clock, jobs }) => {
        await enqueue('a', 'b');
        await clock.sleep(10);
        return jobs.dead.groups();
      },
      { maxDeliveries: 1 },
    );

    assert.deepEqual(
      result.map(({ count }) => count),
      [2],
    );
  });

  test('a dead job that is replayed has all of its deliveries before it again', async () => {
    let well = false;
    const { stats } = await runJobs(
      {
        work() {
          if (!well) throw new Error('away');
        },
      },
      async ({ enqueue, clock, jobs }) => {
        await enqueue('a');
        await clock.sleep(10);
        well = true;
        await jobs.dead.replay(['a']);
        await clock.sleep(10);
      },
      { maxDeliveries: 1 },
    );

    assert.deepEqual([stats.successful, stats.dead], [1, 0]);
  });

  test('poison is dead at once', async () => {
    const { result, events } = await runJobs(
      {
        work() {
          throw new PoisonError('the image is a text');
        },
      },
      async ({ enqueue, clock, jobs }) => {
        await enqueue('a');
        await clock.sleep(10);
        return jobs.dead.find('a');
      },
    );

    assert.deepEqual(shortly(events), ['started a#1', 'died a#1']);
    assert.match(result?.reason ?? '', /^poison: PoisonError: the image is a text/);
  });

  test('a job that asks for later comes later, and does not count', async () => {
    const at: number[] = [];
    const { stats } = await runJobs(
      {
        work() {
          at.push(clockOf.now());
          if (at.length < 5) throw new RetryLaterError({ delayMs: 30_000 }, 'quota');
        },
      },
      async ({ enqueue, clock }) => {
        clockOf = clock;
        await enqueue('a');
        await clock.sleep(200_000);
      },
      { maxDeliveries: 2 },
    );

    assert.equal(at.length, 5);
    assert.ok(at[4]! >= 120_000);
    assert.equal(stats.successful, 1);
  });

  test('a handler that hangs has failed after its time, is told by its signal, and what it says later does not count', async () => {
    const aborts: unknown[] = [];
    const { events, stats } = await runJobs(
      {
        async work(job) {
          job.signal.addEventListener('abort', () => aborts.push(job.signal.reason.code));
          // Ignores the signal.
          await clockOf.sleep(job.delivery === 1 ? 5_000 : 10);
        },
      },
      async ({ enqueue, clock }) => {
        clockOf = clock;
        await enqueue('a');
        await clock.sleep(10_000);
      },
      { timeoutMs: 1_000, pollMs: 10 },
    );

    assert.deepEqual(shortly(events), [
      'started a#1',
      'failed a#1',
      'started a#2',
      'done a#2',
      'late a#1',
    ]);
    assert.deepEqual([aborts, stats.successful], [['TIMED_OUT'], 1]);
  });

  test('a job that takes longer than its lease is renewed, so no second worker gets it', async () => {
    let calls = 0;
    const slow = {
      async work() {
        calls += 1;
        await clockOf.sleep(10_000);
      },
    };
    const { stats } = await runJobs(
      slow,
      async ({ enqueue, clock, jobs }) => {
        clockOf = clock;
        jobs.work(slow, { leaseMs: 1_000 });
        await enqueue('a');
        await clock.sleep(20_000);
      },
      { leaseMs: 1_000 },
    );

    assert.deepEqual([calls, stats.successful], [1, 1]);
  });

  test('a worker whose lease has lapsed is told, its handler aborts, and its result changes nothing', async () => {
    let deaf = false;
    const { events, stats } = await runJobs(
      { work: (job) => untilAborted(job) },
      async ({ enqueue, clock, store }) => {
        clockOf = clock;
        await enqueue('a');
        await clock.sleep(10);
        // As after a long stop of the process: nothing was renewed, and somebody else has the job.
        deaf = true;
        await clock.sleep(1_200);
        const [lease] = await store.lease(1, 60_000);
        deaf = false;
        await clock.sleep(1_000);
        await store.complete([lease!]);
      },
      {
        leaseMs: 1_000,
        storeOf: (real) => ({
          ...real,
          lease: async (limit, leaseMs, topics) =>
            deaf && topics !== undefined ? [] : real.lease(limit, leaseMs, topics),
          async renew(leases, leaseMs) {
            if (deaf) throw new StoreUnavailableError('away', 10);
            return real.renew(leases, leaseMs);
          },
        }),
      },
    );

    assert.deepEqual(shortly(events), ['started a#1', 'lapsed a#1']);
    assert.equal(stats.successful, 1);
  });

  test('jobs of one key are handled one after another, in order, also when one of them fails', async () => {
    const seen: string[] = [];
    let at = 0;
    let most = 0;
    const { stats } = await runJobs(
      {
        async work(job) {
          at += 1;
          most = Math.max(most, at);
          await clockOf.sleep(50);
          at -= 1;
          if (job.id === '2' && job.delivery < 3) throw new Error('not yet');
          seen.push(job.id);
        },
      },
      async ({ jobs, clock }) => {
        clockOf = clock;
        await jobs.enqueue(
          ['1', '2', '3', '4'].map((id) => ({ id, topic: 'work', key: 'k', body: '' })),
        );
        await clock.sleep(60_000);
      },
    );

    assert.deepEqual([seen, most], [['1', '2', '3', '4'], 1]);
    assert.equal(stats.successful, 4);
  });

  test('a store that is away pauses the worker; what ended meanwhile is kept when it is back', async () => {
    let away = false;
    const storeOf = (real: MessageStore): MessageStore => {
      const failing =
        <A extends unknown[], R>(work: (...given: A) => Promise<R>) =>
        (...given: A) =>
          away
            ? Promise.reject(new StoreUnavailableError('jobs.db is locked.', 50))
            : work(...given);
      return { ...real, lease: failing(real.lease), complete: failing(real.complete) };
    };
    let calls = 0;
    const { stats, events } = await runJobs(
      {
        async work() {
          calls += 1;
          await clockOf.sleep(1_000);
        },
      },
      async ({ enqueue, clock, worker }) => {
        clockOf = clock;
        await enqueue('a');
        await clock.sleep(500);
        away = true;
        await clock.sleep(5_000);
        assert.equal(worker.inspect().state, 'paused');
        away = false;
        await clock.sleep(5_000);
      },
      { storeOf },
    );

    assert.deepEqual([calls, stats.successful], [1, 1]);
    assert.ok(events.some(({ type }) => type === 'paused'));
  });
});

/** The clock of the test that runs. */
let clockOf: { now(): number; sleep(ms: number): Promise<void> };

function untilAborted({ signal }: Job): Promise<void> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}
