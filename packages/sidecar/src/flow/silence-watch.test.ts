import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';
import { SilenceWatch } from './silence-watch.ts';

test('whoever is silent is asked, then doubted, then given up', async () => {
  const { clock, said, watch } = watched();
  watch.wake();

  await clock.advance(30_000);

  assert.deepEqual(said, ['2000 ask', '6000 doubted', '20000 silent']);
  assert.equal(clock.pendingTimers, 0);
});

test('whatever comes in between begins it anew', async () => {
  const { clock, hear, said, watch } = watched();
  watch.wake();

  await clock.advance(5_000);
  hear();
  await clock.advance(5_000);

  assert.deepEqual(said, ['2000 ask', '8000 ask']);
});

test('a process that stood still does not take its own silence for that of others', async () => {
  const { clock, hear, said, standStill, watch } = watched();
  watch.wake();
  await clock.advance(5_000);

  // Timers come first after a pause, and bytes that have come meanwhile after them.
  standStill(60_000);
  await clock.advance(1_000);
  hear();
  await clock.advance(2_000);

  assert.deepEqual(said, ['2000 ask']);
});

test('without calls nothing is asked and no timer is left', async () => {
  const { calls, clock, said, watch } = watched();
  watch.wake();
  calls.open = 0;

  await clock.advance(60_000);
  const left = clock.pendingTimers;
  calls.open = 1;
  watch.wake();
  await clock.advance(2_000);
  watch.end();
  watch.wake();

  assert.deepEqual([said, left, clock.pendingTimers], [['62000 ask'], 0, 0]);
});

function watched() {
  const calls = { open: 1 };
  const said: string[] = [];
  const clock = new VirtualClock();
  let bytes = 0;
  let stoodStillMs = 0;
  const seen: Clock = {
    now: () => clock.now() + stoodStillMs,
    wallMs: () => clock.wallMs(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    timer: (ms, fire) => clock.timer(ms, fire),
  };
  const say = (what: string) => () => void said.push(`${clock.now()} ${what}`);
  const watch = new SilenceWatch(seen, {
    bytesRead: () => bytes,
    busy: () => calls.open > 0,
    ask: say('ask'),
    doubted: say('doubted'),
    silent: say('silent'),
  });
  const hear = () => {
    bytes += 9;
  };
  const standStill = (ms: number) => {
    stoodStillMs += ms;
  };
  return { calls, clock, hear, said, standStill, watch };
}
