import assert from 'node:assert/strict';
import { test } from 'node:test';
import { circuitBreaker, pipeline, rateLimit, timeout } from '@holdfast/core';
import { runJobs, shortly } from '../testing/run-jobs.ts';

const HOUR_MS = 3_600_000;

test('in an outage only what the circuit lets through counts: a job that was refused was not tried', async () => {
  let up = false;
  const { result, stats } = await runJobs(
    {
      work: () =>
        prices.execute(() => {
          if (!up) throw new Error('no connection');
        }),
    },
    async ({ clock, jobs, enqueue, events }) => {
      prices = pipeline('prices', [circuitBreaker({ consecutiveFailures: 2 })], { clock });
      await enqueue('a', 'b', 'c', 'd', 'e');
      await clock.sleep(60_000);
      const beside = (await jobs.status('e'))?.deliveries;
      up = true;
      await clock.sleep(HOUR_MS);
      return { beside, postponed: shortly(events).includes('postponed e#1') };
    },
    { maxDeliveries: 50, concurrency: 1 },
  );

  assert.deepEqual(result, { beside: 0, postponed: true });
  assert.deepEqual([stats.successful, stats.dead], [5, 0]);
});

test('a job that was refused comes again when the policy says that it is worth trying', async () => {
  const { events, result } = await runJobs(
    { work: () => quota.execute(() => {}) },
    async ({ clock, jobs, enqueue }) => {
      quota = pipeline('quota', [rateLimit({ limit: 1, intervalMs: HOUR_MS })], { clock });
      await enqueue('a', 'b');
      await clock.sleep(2 * HOUR_MS);
      return (await jobs.status('b'))?.deliveries;
    },
    { maxDeliveries: 1, pollMs: 60_000 },
  );

  assert.deepEqual(
    shortly(events).filter((line) => line.includes('b#')),
    ['started b#1', 'postponed b#1', 'started b#1', 'done b#1'],
  );
  assert.equal(result, 1);
});

test('what timed out may have been done, and counts', async () => {
  const { stats } = await runJobs(
    { work: () => slow.execute(() => new Promise(() => {})) },
    async ({ clock, enqueue }) => {
      slow = pipeline('slow', [timeout({ limitMs: 100 })], { clock });
      await enqueue('a');
      await clock.sleep(1_000);
    },
    { maxDeliveries: 1 },
  );

  assert.equal(stats.dead, 1);
});

let prices: ReturnType<typeof pipeline>;
let quota: ReturnType<typeof pipeline>;
let slow: ReturnType<typeof pipeline>;
