import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { tryAgain } from './try-again.ts';

test('what is missing is tried each minute until it is there, and again when it is missing again', async () => {
  const clock = new VirtualClock();
  const triedMs: number[] = [];
  const missing = (): boolean => clock.now() < 150_000 || clock.now() > 290_000;
  const reload = async () => {
    triedMs.push(clock.now());
    await clock.sleep(5_000);
  };
  const trying = tryAgain({ incomplete: missing, reload, clock });
  await clock.run(() => clock.sleep(400_000));
  trying.close();

  assert.deepEqual(triedMs, [60_000, 125_000, 310_000, 375_000]);
});
