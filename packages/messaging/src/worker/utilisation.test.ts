import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@holdfast/core/testing';
import { Utilisation } from './utilisation.ts';

test('half of the hands at work all the time is one half', () => {
  const usage = new Utilisation(4, 60_000, 0);
  usage.change(2, 0);
  assert.equal(usage.ratio(30_000), 0.5);
  assert.equal(usage.ratio(600_000), 0.5);
});

test('what was a window ago is forgotten', () => {
  const usage = new Utilisation(1, 60_000, 0);
  usage.change(1, 0);
  usage.change(0, 60_000);
  assert.ok(usage.ratio(90_000) < 0.6);
  assert.equal(usage.ratio(121_000), 0);
  assert.equal(usage.ratio(10_000_000), 0);
});

test('a worker that has just begun is told of what it does now', () => {
  const usage = new Utilisation(2, 60_000, 5_000);
  usage.change(1, 5_000);
  assert.equal(usage.ratio(5_000), 0.5);
  assert.equal(usage.ratio(5_001), 0.5);
});

test('agrees with a list of all changes, to the part of a window that it is cut into', () => {
  const random = seededRandom(7);
  const usage = new Utilisation(5, 30_000, 0);
  const changes: [number, number][] = [[0, 0]];
  let nowMs = 0;
  for (let n = 0; n < 500; n += 1) {
    nowMs += Math.floor(random.next() * 3_000);
    const atWork = Math.floor(random.next() * 6);
    usage.change(atWork, nowMs);
    changes.push([nowMs, atWork]);
    const fromMs = Math.max(0, nowMs - 29_500);
    const busyMs = changes.reduce((sum, [atMs, count], i) => {
      const untilMs = changes[i + 1]?.[0] ?? nowMs;
      return sum + Math.max(0, untilMs - Math.max(atMs, fromMs)) * count;
    }, 0);
    const expected = busyMs / (Math.max(1, nowMs - fromMs) * 5);
    if (nowMs > 2_000) {
      assert.ok(
        Math.abs(usage.ratio(nowMs) - expected) < 0.06,
        `step ${n}: ${usage.ratio(nowMs)}, ${expected}`,
      );
    }
  }
});
