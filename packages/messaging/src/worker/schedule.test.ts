import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { Cron } from 'croner';
import { StoreUnavailableError } from '../errors.ts';
import { memoryStore } from '../memory-store.ts';
import type { MessageStore } from '../store.ts';
import { type Jobs, openJobs } from './jobs.ts';

const HOUR_MS = 3_600_000;
const report = { topic: 'report', body: '' };

describe('schedule', () => {
  test('enqueues a job for each tick, due at the tick', async () => {
    const { ids, clock } = await played(async ({ jobs, clock }) => {
      jobs.schedule('hourly', { everyMs: HOUR_MS }, report);
      await clock.sleep(3 * HOUR_MS + 60_000);
    });

    assert.deepEqual(ids, [
      'hourly@1970-01-01T01:00:00.000Z',
      'hourly@1970-01-01T02:00:00.000Z',
      'hourly@1970-01-01T03:00:00.000Z',
    ]);
    assert.equal(clock.pendingTimers, 0);
  });

  test('two processes with the same schedule enqueue each tick once', async () => {
    const { ids } = await played(async ({ jobs, clock, store }) => {
      const other = await openJobs({ store, clock });
      jobs.schedule('hourly', { everyMs: HOUR_MS }, report);
      await clock.sleep(1_234_567);
      const second = other.schedule('hourly', { everyMs: HOUR_MS }, report);
      await clock.sleep(3 * HOUR_MS);
      await second.stop();
    });

    assert.equal(new Set(ids).size, ids.length);
    assert.equal(ids.length, 3);
  });

  test('the next tick is in the store before it comes, so it is there if every process is away then', async () => {
    const { ids } = await played(async ({ jobs, clock, worker }) => {
      const schedule = jobs.schedule('hourly', { everyMs: HOUR_MS }, report);
      await clock.sleep(60_000);
      await worker.stop();
      await schedule.stop();
      await clock.sleep(5 * HOUR_MS);
      jobs.work({ report: () => {} });
      await clock.sleep(60_000);
    });

    assert.deepEqual(ids, ['hourly@1970-01-01T01:00:00.000Z']);
  });

  test('ticks that a process slept through are one run', async () => {
    const { ids } = await played(async ({ jobs, clock }) => {
      jobs.schedule('hourly', { everyMs: HOUR_MS }, report);
      await clock.sleep(60_000);
      // As when a machine is suspended: the wall clock goes on, timers do not.
      clock.jumpWall(5.5 * HOUR_MS);
      await clock.sleep(HOUR_MS);
    });

    // The store in memory counts by the other clock, so that the first of them comes last.
    assert.deepEqual(ids.toSorted(), [
      'hourly@1970-01-01T01:00:00.000Z',
      'hourly@1970-01-01T06:00:00.000Z',
    ]);
  });

  test('takes cron expressions from whoever can read them', async () => {
    const cron = new Cron('30 3 * * *', { timezone: 'UTC' });
    const { ids } = await played(async ({ jobs, clock }) => {
      jobs.schedule('nightly', { next: (after) => cron.nextRun(after) }, (tick) => ({
        topic: 'report',
        body: tick.toISOString().slice(0, 10),
      }));
      await clock.sleep(52 * HOUR_MS);
    });

    assert.deepEqual(ids, [
      'nightly@1970-01-01T03:30:00.000Z',
      'nightly@1970-01-02T03:30:00.000Z',
      'nightly@1970-01-03T03:30:00.000Z',
    ]);
  });

  test('ends when there is no next tick', async () => {
    const { ids, result } = await played(async ({ jobs, clock }) => {
      const once = new Date(HOUR_MS);
      const schedule = jobs.schedule(
        'once',
        { next: (after) => (after < once ? once : undefined) },
        report,
      );
      await clock.sleep(2 * HOUR_MS);
      return schedule.nextAt;
    });

    assert.deepEqual([ids, result], [['once@1970-01-01T01:00:00.000Z'], undefined]);
  });

  test('the tick that waits can be taken back', async () => {
    const { ids } = await played(async ({ jobs, clock }) => {
      const schedule = jobs.schedule('hourly', { everyMs: HOUR_MS }, report);
      await clock.sleep(60_000);
      await schedule.stop();
      assert.equal(await jobs.cancel(schedule.idOf(schedule.nextAt!)), true);
      await clock.sleep(2 * HOUR_MS);
    });

    assert.deepEqual(ids, []);
  });

  test('a store that is away is asked again until the tick has come', async () => {
    const problems: unknown[] = [];
    let away = true;
    const { ids } = await played(
      async ({ jobs, clock }) => {
        const onProblem = (error: unknown) => problems.push((error as { code: string }).code);
        jobs.schedule('hourly', { everyMs: HOUR_MS, onProblem }, report);
        await clock.sleep(10_500);
        away = false;
        await clock.sleep(HOUR_MS + 60_000);
      },
      (real) => ({
        ...real,
        append: async (...given) => {
          if (away) throw new StoreUnavailableError('disk full', 250);
          return real.append(...given);
        },
      }),
    );

    assert.deepEqual(ids, ['hourly@1970-01-01T01:00:00.000Z']);
    assert.ok(problems.length >= 1 && problems.every((code) => code === 'OUTBOX_UNAVAILABLE'));
  });

  test('what cannot be a schedule is refused where it is written', async () => {
    const clock = new VirtualClock();
    const jobs = await openJobs({ store: memoryStore({ clock }), clock });

    assert.throws(() => jobs.schedule('', { everyMs: HOUR_MS }, report), TypeError);
    assert.throws(() => jobs.schedule('x', {} as { everyMs: number }, report), {
      message: 'A schedule says either `everyMs` or `next`, and not both.',
    });
    assert.throws(() => jobs.schedule('x', { everyMs: 5 }, report), {
      name: 'RangeError',
      message: 'schedule.everyMs must be a whole number from 1000 to 31622400000, not 5.',
    });
    const replacing = { ...report, replaces: { name: 'x' } };
    assert.throws(() => jobs.schedule('x', { everyMs: HOUR_MS }, replacing), {
      message: /^A tick of a schedule cannot replace others: /,
    });
    const told = await new Promise((onProblem) => {
      jobs.schedule('x', { everyMs: HOUR_MS, onProblem }, () => replacing);
    });
    assert.match(String(told), /A tick of a schedule cannot replace others: /);
    assert.throws(() => jobs.schedule('x', { next: (after) => after }, report), {
      name: 'RangeError',
      message: /^schedule\.next must give a Date after 1970-01-01T00:00:00\.000Z, or nothing, not /,
    });
  });
});

interface ScheduleWorld {
  readonly jobs: Jobs;
  readonly clock: VirtualClock;
  readonly store: MessageStore;
  readonly worker: { stop(): Promise<void> };
}

/** Ids of the jobs of topic `report` that were done, in order. */
async function played<T>(
  body: (world: ScheduleWorld) => Promise<T>,
  storeOf: (real: MessageStore) => MessageStore = (real) => real,
) {
  const clock = new VirtualClock();
  const store = storeOf(memoryStore({ clock }));
  const jobs = await openJobs({ store, clock });
  const ids: string[] = [];
  const onEvent = (event: { type: string; id?: string }) => {
    if (event.type === 'done') ids.push(event.id ?? '');
  };
  const result = await clock.run(async () => {
    const worker = jobs.work({ report: () => {} }, { onEvent, pollMs: 30_000 });
    const work = jobs.work.bind(jobs);
    const told = {
      ...jobs,
      work: (handlers: Parameters<Jobs['work']>[0]) => work(handlers, { onEvent }),
    };
    const value = await body({ jobs: told, clock, store, worker });
    await jobs.close();
    return value;
  });
  return { ids, result, clock };
}
