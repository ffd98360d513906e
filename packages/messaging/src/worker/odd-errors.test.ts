import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { runJobs, shortly } from '../testing/run-jobs.ts';

test('a job whose handler throws what cannot be told in words fails and dies as others do, and is not left until its lease lapses', async () => {
  const odd = [
    Object.create(null),
    Object.defineProperty(new Error('m'), 'name', {
      get() {
        throw new Error('no name');
      },
    }),
    Object.assign(new Error('m'), { stack: 5 }),
  ];
  for (const thrown of odd) {
    const { events } = await runJobs(
      {
        async work() {
          throw thrown;
        },
      },
      async ({ enqueue, clock }) => {
        await enqueue('a');
        await clock.sleep(100);
      },
      { maxDeliveries: 2, delayMs: 10 },
    );

    assert.deepEqual(shortly(events), ['started a#1', 'failed a#1', 'started a#2', 'died a#2']);
  }
});

test('a poison of another realm is one', async () => {
  const { events } = await runJobs(
    {
      async work() {
        throw runInNewContext('Object.assign(new Error("p"), { code: "JOB_POISON" })');
      },
    },
    async ({ enqueue, clock }) => {
      await enqueue('a');
      await clock.sleep(100);
    },
  );

  assert.deepEqual(shortly(events), ['started a#1', 'died a#1']);
});
