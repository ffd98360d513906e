import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runJobs, shortly } from '../testing/run-jobs.ts';
import { RetryLaterError } from './endings/job-errors.ts';
import type { Jobs } from './jobs.ts';

test('a topic on pause is left alone by every worker, jobs may be enqueued, others go on, and resuming wakes the workers', async () => {
  const { events, result } = await runJobs(
    { work: () => {}, other: () => {} },
    async ({ clock, jobs, enqueue }) => {
      const second = jobs.work({ work: () => {} });
      const answers = [await jobs.pause({ topic: 'work' }), await jobs.pause({ topic: 'work' })];
      await enqueue('a');
      await jobs.enqueue([{ id: 'b', topic: 'other', body: '' }]);
      await clock.sleep(600_000);
      const { queued, paused, oldestMs } = await jobs.stats();
      const status = await jobs.status('a');
      await second.stop();
      const resumed = [await jobs.resume({ topic: 'work' }), await jobs.resume({ topic: 'work' })];
      await clock.sleep(1);
      const done = (await jobs.status('a'))?.state;
      const names = paused.map(({ topic, forMs }) => [topic, forMs >= 600_000]);
      return { answers, queued, names, oldestMs, deliveries: status?.deliveries, resumed, done };
    },
    { pollMs: 600_000 },
  );

  assert.deepEqual(result, {
    answers: [true, false],
    queued: 1,
    names: [['work', true]],
    oldestMs: 600_000,
    deliveries: 0,
    resumed: [true, false],
    done: 'done',
  });
  assert.deepEqual(shortly(events), ['started b#1', 'done b#1', 'started a#1', 'done a#1']);
});

test('what is at work when its topic is paused is finished, and its retry waits for the end of the pause', async () => {
  const { result, events } = await runJobs(
    {
      work: async ({ delivery }) => {
        await clockOf.sleep(100);
        if (delivery === 1) throw new Error('once');
      },
    },
    async ({ clock, jobs, enqueue }) => {
      clockOf = clock;
      await enqueue('a');
      await clock.sleep(10);
      await jobs.pause({ topic: 'work' });
      await clock.sleep(60_000);
      const before = (await jobs.status('a'))?.state;
      await jobs.resume({ topic: 'work' });
      await clock.sleep(1_000);
      return [before, (await jobs.status('a'))?.state];
    },
  );

  assert.deepEqual(result, ['queued', 'done']);
  assert.deepEqual(shortly(events), ['started a#1', 'failed a#1', 'started a#2', 'done a#2']);
});

test('a handler may pause its topic for everybody, for as long as the other side says', async () => {
  let limitedUntilMs = 60_000;
  const { events, result } = await runJobs(
    {
      work: async () => {
        const leftMs = limitedUntilMs - clockOf.now();
        if (leftMs <= 0) return;
        await jobsOf.pause({ topic: 'work', forMs: leftMs });
        throw new RetryLaterError({ delayMs: leftMs });
      },
    },
    async ({ clock, jobs, enqueue }) => {
      [clockOf, jobsOf] = [clock, jobs];
      await enqueue(...Array.from({ length: 50 }, (_, n) => `job-${n}`));
      await clock.sleep(30_000);
      const [pause] = (await jobs.stats()).paused;
      await clock.sleep(60_000);
      limitedUntilMs = 0;
      return { pause, after: await jobs.stats() };
    },
    { concurrency: 5 },
  );

  assert.equal(result.pause?.topic, 'work');
  assert.ok(result.pause!.endsInMs! > 0 && result.pause!.endsInMs! <= 30_000);
  assert.deepEqual([result.after.successful, result.after.paused], [50, []]);
  const postponed = shortly(events).filter((line) => line.startsWith('postponed'));
  assert.ok(postponed.length <= 10, `${postponed.length} of 50 were begun in vain`);
});

test('a topic that is no topic cannot be paused', async () => {
  await runJobs({ work: () => {} }, async ({ jobs }) => {
    await assert.rejects(jobs.pause({ topic: '' }), {
      name: 'TypeError',
      message: 'message.topic must be text of 1 to 255 characters, not 0 characters.',
    });
    await assert.rejects(jobs.pause({ topic: 'work', forMs: 0 }), {
      name: 'RangeError',
      message: 'pause.forMs must be a whole number from 1 to 2147483647, not 0.',
    });
  });
});

let clockOf: { now(): number; sleep(ms: number): Promise<void> };
let jobsOf: Jobs;
