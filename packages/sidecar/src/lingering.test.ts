import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { linger } from './lingering.ts';

test('it lingers for its time', async () => {
  const { begun, clock, end, tookMs } = start(1_000);

  await clock.advance(1_000);
  await end;

  assert.deepEqual([begun(), tookMs(), clock.pendingTimers], [1, 1_000, 0]);
});

test('an application that becomes unhealthy ends it', async () => {
  const { clock, end, sick, tookMs } = start(1_000);

  await clock.advance(300);
  sick();
  await end;

  assert.deepEqual([tookMs(), clock.pendingTimers], [300, 0]);
});

test('whoever asks again ends it', async () => {
  const { again, clock, end } = start(1_000);

  again();
  await end;

  assert.equal(clock.pendingTimers, 0);
});

test('without a time it is over before it begins', async () => {
  const { begun, end } = start(undefined);

  await end;

  assert.equal(begun(), 0);
});

function start(ms: number | undefined) {
  const clock = new VirtualClock();
  const startedMs = clock.now();
  const asked = new AbortController();
  const { promise, resolve: sick } = Promise.withResolvers<void>();
  let begun = 0;
  const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
  const options = {
    ms,
    unhealthy: () => promise,
    begun: () => {
      begun += 1;
    },
    clock,
    log,
  };
  const end = linger(options, asked.signal);
  const tookMs = () => clock.now() - startedMs;
  return { begun: () => begun, clock, end, sick, tookMs, again: () => asked.abort() };
}
