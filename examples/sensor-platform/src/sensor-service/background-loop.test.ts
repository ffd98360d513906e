import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { backgroundLoop } from './background-loop.ts';

test('it goes on at once while there is work, rests when there is none, and after a failure', async () => {
  const outcomes = [true, true, false, new Error('no database'), true, false];
  assert.deepEqual(await startsOf(outcomes), [0, 0, 0, 500, 1_000, 1_000]);
});

test('waking it ends its rest', async () => {
  const clock = new VirtualClock();
  const startsMs: number[] = [];
  await clock.run(async () => {
    const loop = backgroundLoop(
      async () => {
        startsMs.push(clock.now());
        return false;
      },
      { onFailure: () => {}, clock },
    );
    await clock.sleep(100);
    loop.wake();
    await clock.sleep(1);
    await loop.stop();
  });

  assert.deepEqual(startsMs, [0, 100]);
});

/** When each round began; the rounds end as told. */
async function startsOf(outcomes: readonly (boolean | Error)[]): Promise<number[]> {
  const clock = new VirtualClock();
  const startsMs: number[] = [];
  await clock.run(async () => {
    const done = Promise.withResolvers<void>();
    const loop = backgroundLoop(
      async () => {
        const outcome = outcomes[startsMs.length] ?? false;
        startsMs.push(clock.now());
        if (startsMs.length === outcomes.length) done.resolve();
        if (outcome instanceof Error) throw outcome;
        return outcome;
      },
      { onFailure: () => {}, clock },
    );
    await done.promise;
    await loop.stop();
  });
  return startsMs;
}
