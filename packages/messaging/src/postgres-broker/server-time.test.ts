import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { ServerTime } from './server-time.ts';

test('knows the database’s clock from its last quick answer, and from a slow one where there is no other', async () => {
  const clock = new VirtualClock();
  const time = new ServerTime(clock, 100);
  const seen = [time.at(clock.now())];
  const answer = async (serverMs: number, afterMs: number) => {
    const askedMs = clock.now();
    await clock.advance(afterMs);
    time.heard(serverMs, askedMs);
    seen.push(time.at(clock.now()));
  };
  await answer(5_000, 1_000);
  await answer(6_010, 10);
  // Said before the server stood still, heard after.
  await answer(6_020, 4_000);
  // Its clock was set back.
  await answer(3_000, 10);

  assert.deepEqual(seen, [Number.MAX_SAFE_INTEGER, 5_000, 6_010, 10_010, 3_000]);
});
