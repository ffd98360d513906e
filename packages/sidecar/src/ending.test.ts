import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { VirtualClock } from '@holdfast/core/testing';
import { createEnding, type EndingSteps } from './ending.ts';

test('it leaves, waits for what it took, closes, and is ended', async () => {
  const { steps, done } = recorded();
  const { stop, ended } = createEnding(steps);

  await stop();

  assert.equal(await ended, 'done');
  assert.deepEqual(done, ['begin', 'leave', 'drain', 'close']);
});

test('what does not get done has its grace, and no more', async () => {
  const clock = new VirtualClock();
  const { steps, done } = recorded({ clock, drain: () => new Promise(() => {}) });
  const { ended, stop } = createEnding(steps);

  const stopped = stop();
  await clock.advance(999);
  assert.deepEqual(done, ['begin', 'leave', 'drain']);
  await clock.advance(1);
  await stopped;

  assert.deepEqual([...done, await ended], ['begin', 'leave', 'drain', 'late', 'close', 'late']);
  assert.equal(clock.pendingTimers, 0);
});

test('with force nothing is waited for', async () => {
  const { steps, done } = recorded();

  const { ended, stop } = createEnding(steps);
  await stop({ force: true });

  assert.deepEqual([...done, await ended], ['begin', 'close', 'forced']);
});

test('force hurries an end that has begun, and there is one end', async () => {
  const { steps, done } = recorded({ drain: () => new Promise(() => {}) });
  const { stop } = createEnding(steps);

  const first = stop();
  await setImmediate();
  await Promise.all([first, stop({ force: true }), stop()]);

  assert.deepEqual(done, ['begin', 'leave', 'drain', 'close']);
});

test('what cannot be drained is closed all the same', async () => {
  const { steps, done } = recorded({ drain: () => Promise.reject(new Error('a broken store')) });

  await createEnding(steps).stop();

  assert.deepEqual(done, ['begin', 'leave', 'drain', 'close']);
});

test('a leave that hangs has the grace too', async () => {
  const clock = new VirtualClock();
  const { steps, done } = recorded({ clock });
  const { stop } = createEnding({ ...steps, leave: () => new Promise(() => {}) });

  const stopped = stop();
  await clock.advance(1_000);
  await stopped;

  assert.deepEqual(done, ['begin', 'late', 'close']);
});

test('asked to linger it serves on first, and whoever asks again without it has it end at once', async () => {
  const clock = new VirtualClock();
  const { steps, done } = recorded({ clock });
  const { stop } = createEnding(steps);

  const stopped = stop({ linger: true });
  await clock.advance(4_999);
  void stop({ linger: true });
  await setImmediate();
  assert.deepEqual(done, ['linger']);
  void stop();
  await stopped;

  assert.deepEqual(done, ['linger', 'begin', 'leave', 'drain', 'close']);
  assert.equal(clock.pendingTimers, 0);
});

test('force ends the lingering and waits for nothing after it', async () => {
  const { steps, done } = recorded();
  const { stop } = createEnding(steps);

  const stopped = stop({ linger: true });
  await stop({ force: true });
  await stopped;

  assert.deepEqual(done, ['linger', 'begin', 'close']);
});

function recorded(given: { clock?: VirtualClock; drain?: () => Promise<unknown> } = {}): {
  readonly steps: EndingSteps;
  readonly done: string[];
} {
  const done: string[] = [];
  const { clock = new VirtualClock(), drain = async () => {} } = given;
  const steps: EndingSteps = {
    graceMs: 1_000,
    clock,
    async linger(signal) {
      done.push('linger');
      await clock.sleep(5_000, signal);
    },
    begin: () => void done.push('begin'),
    leave: async () => void done.push('leave'),
    drain() {
      done.push('drain');
      return drain();
    },
    late: () => void done.push('late'),
    close: async () => void done.push('close'),
  };
  return { steps, done };
}
