import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runJobs } from '../testing/run-jobs.ts';
import { JobsFailedError } from './endings/job-errors.ts';

test('a result is kept with the job that is done, the last one said, and is gone after its lifetime', async () => {
  const { result } = await runJobs(
    {
      work: {
        handle: (job) => {
          job.result('first');
          job.result(`of ${job.id}`);
        },
        resultLifetimeMs: 60_000,
      },
      other: () => {},
    },
    async ({ clock, jobs, enqueue }) => {
      await enqueue('a');
      await jobs.enqueue([{ id: 'b', topic: 'other', body: '' }]);
      await clock.sleep(59_000);
      const found = [await jobs.status('a'), await jobs.status('b')];
      await clock.sleep(2_000);
      found.push(await jobs.status('a'));
      return found.map((each) => [each?.state, each?.result]);
    },
  );

  assert.deepEqual(result, [
    ['done', 'of a'],
    ['done', undefined],
    ['done', undefined],
  ]);
});

test('nothing is kept of a delivery that failed; of a batch it is kept of those that are done', async () => {
  const { result } = await runJobs(
    {
      work: (job) => {
        if (job.delivery > 1) return;
        job.result('of the first');
        throw new Error('no');
      },
      many: {
        batch: 2,
        handle: (jobs) => {
          for (const job of jobs) job.result(`of ${job.id}`);
          if (jobs.length === 2) throw new JobsFailedError(new Map([['y', new Error('no')]]));
        },
        maxDeliveries: 1,
      },
    },
    async ({ clock, jobs, enqueue }) => {
      await enqueue('a');
      await jobs.enqueue(['x', 'y'].map((id) => ({ id, topic: 'many', body: '' })));
      await clock.sleep(10_000);
      return Promise.all(
        ['a', 'x', 'y'].map(async (id) => {
          const found = await jobs.status(id);
          return [found?.state, found?.result];
        }),
      );
    },
  );

  assert.deepEqual(result, [
    ['done', undefined],
    ['done', 'of x'],
    ['dead', undefined],
  ]);
});

test('a result that is too large, or no text, fails its job and says what to do', async () => {
  const { result } = await runJobs(
    { work: (job) => job.result(RESULTS[job.id] as string) },
    async ({ clock, jobs, enqueue }) => {
      await enqueue(...Object.keys(RESULTS));
      await clock.sleep(1_000);
      const letters = await Promise.all(Object.keys(RESULTS).map((id) => jobs.dead.find(id)));
      return letters.map((letter) => letter?.reason.split('\n')[0]);
    },
    { maxDeliveries: 1 },
  );

  assert.deepEqual(result, [
    'failed 1 times; last: RangeError: job.result takes 16384 bytes at most, not 16386. Keep it elsewhere, and say here where.',
    'failed 1 times; last: TypeError: job.result takes a text without U+0000, not a object. Serialise it first.',
    'failed 1 times; last: TypeError: job.result takes a text without U+0000, not one with it. Serialise it first.',
  ]);
});

const RESULTS: Readonly<Record<string, unknown>> = {
  large: 'ü'.repeat(8_193),
  data: { rows: 42 },
  nul: 'a\0b',
};
