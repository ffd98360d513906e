import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { Cron } from 'croner';
import { memoryStore } from '../memory-store.ts';
import { openJobs } from './jobs.ts';

const HOUR_MS = 3_600_000;
const timezone = 'Europe/Vienna';

test('a nightly job at an hour that the spring skips runs once, at the hour that follows', async () => {
  assert.deepEqual(await ticks('30 2 * * *', '2026-03-28T12:00:00Z', 38), [
    '2026-03-29T01:00:00.000Z',
    '2026-03-30T00:30:00.000Z',
  ]);
});

test('a nightly job at an hour that the autumn doubles runs once, the first time', async () => {
  assert.deepEqual(await ticks('30 2 * * *', '2026-10-24T12:00:00Z', 38), [
    '2026-10-25T00:30:00.000Z',
    '2026-10-26T01:30:00.000Z',
  ]);
});

test('what repeats within the hour neither pauses nor doubles when the clocks change', async () => {
  const spring = await ticks('*/30 * * * *', '2026-03-29T00:15:00Z', 2);
  const autumn = await ticks('*/30 * * * *', '2026-10-25T00:15:00Z', 2);

  assert.deepEqual(
    [spring, autumn].map((days) => days.map((day) => day.slice(11, 16))),
    Array(2).fill(['00:30', '01:00', '01:30', '02:00']),
  );
});

/** The ticks that were done by two processes of the same schedule, in so many hours from `from`. */
async function ticks(expression: string, from: string, hours: number) {
  const clock = new VirtualClock();
  clock.jumpWall(Date.parse(from));
  const store = memoryStore({ clock });
  const [one, two] = [await openJobs({ store, clock }), await openJobs({ store, clock })];
  const done: string[] = [];
  await clock.run(async () => {
    const cron = new Cron(expression, { timezone });
    for (const jobs of [one, two]) {
      jobs.work(
        { report: ({ id }) => void done.push(id.slice('report@'.length)) },
        { pollMs: 60_000 },
      );
      jobs.schedule(
        'report',
        { next: (after) => cron.nextRun(after) },
        { topic: 'report', body: '' },
      );
    }
    await clock.sleep(hours * HOUR_MS);
    await Promise.all([one.close(), two.close()]);
  });
  return done;
}
