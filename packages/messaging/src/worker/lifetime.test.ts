import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runJobs, shortly } from '../testing/run-jobs.ts';

const DAY_MS = 86_400_000;

test('a job nobody came to in its lifetime is dead instead of handed over, those behind it go on, and a replay is for ever', async () => {
  const { events, result } = await runJobs({ work: () => {} }, async ({ clock, jobs, worker }) => {
    await worker.pause();
    await jobs.enqueue([
      { id: 'short', topic: 'work', key: 'k', body: '', lifetimeMs: 1_000 },
      { id: 'behind', topic: 'work', key: 'k', body: '' },
      { id: 'later', topic: 'work', body: '', delayMs: 2_000, lifetimeMs: 1_000 },
    ]);
    await clock.sleep(2_500);
    worker.resume();
    await clock.sleep(1);
    const states = await Promise.all(
      ['short', 'behind', 'later'].map(async (id) => (await jobs.status(id))?.state),
    );
    const reason = (await jobs.dead.find('short'))?.reason;
    const { dead } = worker.inspect();
    await jobs.dead.replay(['short']);
    await clock.sleep(1_000);
    return { states, reason, dead, replayed: (await jobs.status('short'))?.state };
  });

  assert.deepEqual(result, {
    states: ['dead', 'done', 'done'],
    reason: 'expired: its lifetime was over before it could be handed over',
    dead: 1,
    replayed: 'done',
  });
  assert.deepEqual(shortly(events).slice(0, 1), ['died short#1']);
});

test('a job that keeps failing is tried again for as long as it lives, and one that is at work by then is finished', async () => {
  const { events, stats } = await runJobs(
    {
      work: async ({ id }) => {
        await clockOf.sleep(300);
        if (id === 'fails') throw new Error('no');
      },
    },
    async ({ clock, jobs }) => {
      clockOf = clock;
      await jobs.enqueue([
        { id: 'fails', topic: 'work', body: '', lifetimeMs: 2_000 },
        { id: 'slow', topic: 'work', body: '', lifetimeMs: 100 },
      ]);
      await clock.sleep(60_000);
    },
    { maxDeliveries: 100, delayMs: 1_000, maxDelayMs: 1_000 },
  );

  assert.deepEqual(shortly(events), [
    'started fails#1',
    'started slow#1',
    'failed fails#1',
    'done slow#1',
    'started fails#2',
    'failed fails#2',
    'died fails#3',
  ]);
  assert.deepEqual([stats.dead, stats.queued], [1, 0]);
});

test('a back-off may grow to days', async () => {
  const { result } = await runJobs(
    {
      work: ({ delivery }) => {
        if (delivery < 4) throw new Error('not yet');
      },
    },
    async ({ clock, jobs, enqueue }) => {
      await enqueue('a');
      await clock.sleep(7 * DAY_MS - 60_000);
      const before = (await jobs.status('a'))?.deliveries;
      await clock.sleep(60_000 + 1_000);
      return [before, (await jobs.status('a'))?.state];
    },
    { delayMs: DAY_MS, maxDelayMs: 7 * DAY_MS, pollMs: 600_000, leaseMs: 600_000 },
  );

  assert.deepEqual(result, [3, 'done']);
});

test('a lifetime that cannot be is refused, naming field, rule and value', async () => {
  await runJobs({ work: () => {} }, async ({ jobs }) => {
    await assert.rejects(jobs.enqueue([{ topic: 'work', body: '', lifetimeMs: 0 }]), {
      name: 'RangeError',
      message: 'message.lifetimeMs must be a whole number from 1 to 316224000000, not 0.',
    });
  });
});

let clockOf: { sleep(ms: number): Promise<void> };
