import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runJobs, shortly } from '../testing/run-jobs.ts';
import type { Job } from './job.ts';

test('all jobs of a topic are taken back, waiting, scheduled and at work, and no other', async () => {
  const { events, result, stats } = await runJobs(
    { work: hang, other: () => {} },
    async ({ clock, enqueue, jobs }) => {
      await enqueue('at-work');
      await clock.sleep(10);
      await enqueue(...Array.from({ length: 1_200 }, (_, n) => `w${n}`));
      await jobs.enqueue([
        { id: 'later', topic: 'work', body: '', delayMs: 3_600_000 },
        { id: 'kept', topic: 'other', body: '', delayMs: 60_000 },
      ]);
      const count = await jobs.cancelAll({ topic: 'work' });
      await clock.sleep(100);
      const states = ['at-work', 'w7', 'later', 'kept'].map(async (id) => jobs.status(id));
      const again = await jobs.cancelAll({ topic: 'work' });
      return { count, again, states: (await Promise.all(states)).map((each) => each?.state) };
    },
    { concurrency: 1 },
  );

  const cancelled = 'cancelled';
  assert.deepEqual(result, {
    ...{ count: 1_202, again: 0 },
    states: [cancelled, cancelled, cancelled, 'queued'],
  });
  assert.deepEqual(shortly(events).slice(0, 2), ['started at-work#1', 'cancelled at-work#1']);
  assert.equal(stats.queued, 1);
});

test('one that was leased with the one before it of its key, and not begun, is not begun any more', async () => {
  const { events } = await runJobs({ work: hang }, async ({ clock, jobs }) => {
    await jobs.enqueue(['a', 'b'].map((id) => ({ id, topic: 'work', key: 'k', body: '' })));
    await clock.sleep(10);
    await jobs.cancelAll({ topic: 'work' });
    await clock.sleep(1_000);
  });

  assert.deepEqual(shortly(events).toSorted(), ['cancelled a#1', 'cancelled b#1', 'started a#1']);
});

test('cancelAll without a topic is refused, and takes nothing back', async () => {
  await runJobs({ work: hang }, async ({ jobs }) => {
    await jobs.enqueue([{ id: 'a', topic: 'other', body: '' }]);

    await assert.rejects(jobs.cancelAll({} as { topic: string }), {
      name: 'TypeError',
      message:
        "cancelAll.topic must name a topic, as `{ topic: 'resize-image' }` does, not undefined.",
    });
    assert.equal((await jobs.stats()).queued, 1);
  });
});

function hang({ signal }: Job): Promise<void> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}
