import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runJobs, shortly } from '../testing/run-jobs.ts';

test('a worker on pause finishes what it has and takes nothing more, until it goes on', async () => {
  const { events, result } = await runJobs(
    { work: () => clockOf.sleep(100) },
    async ({ clock, enqueue, jobs, worker }) => {
      clockOf = clock;
      await enqueue('a', 'b');
      await clock.sleep(10);
      await worker.pause();
      const before = [worker.inspect().state, clock.now()];
      await enqueue('c');
      await clock.sleep(60_000);
      const waits = [(await jobs.status('b'))?.state, (await jobs.status('c'))?.state];
      const { deliveries } = (await jobs.status('b'))!;
      worker.resume();
      worker.resume();
      await clock.sleep(1_000);
      return { before, waits, deliveries, state: worker.inspect().state };
    },
    { concurrency: 1 },
  );

  assert.deepEqual(result, {
    before: ['paused', 100],
    waits: ['queued', 'queued'],
    deliveries: 0,
    state: 'idle',
  });
  assert.deepEqual(
    shortly(events),
    ['a', 'b', 'c'].flatMap((id) => [`started ${id}#1`, `done ${id}#1`]),
  );
});

test('jobs of one key that were leased with one at work go back uncounted when the worker pauses', async () => {
  const { result } = await runJobs(
    { work: () => clockOf.sleep(100) },
    async ({ clock, jobs, worker }) => {
      clockOf = clock;
      await jobs.enqueue(['a', 'b'].map((id) => ({ id, topic: 'work', key: 'k', body: '' })));
      await clock.sleep(10);
      await worker.pause();
      const { state, deliveries } = (await jobs.status('b'))!;
      return [state, deliveries];
    },
  );

  assert.deepEqual(result, ['queued', 0]);
});

test('a worker on pause can be stopped', async () => {
  const { result } = await runJobs({ work: () => {} }, async ({ worker }) => {
    await worker.pause();
    await worker.stop();
    return worker.inspect().state;
  });

  assert.equal(result, 'stopped');
});

let clockOf: { sleep(ms: number): Promise<void> };
