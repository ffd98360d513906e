import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soakEveryPolicy } from './every-policy.ts';
import { soakKeyedBreakers } from './keyed-breakers.ts';
import { growthOf, NOISE_BYTES } from './soak-core.ts';

test('calls through every policy leave nothing on the heap, no timer and no permit', async () => {
  const report = await soakEveryPolicy(60_000);
  assert.ok(growthOf(report) <= NOISE_BYTES, `${report.heaps.join(' ')} bytes`);
  assert.deepEqual([report.timersLeft, report.left], [0, 0]);
  // Each of these is a way through the engine of its own: one that is not taken proves nothing.
  const ways = ['retry', 'timeout', 'hedge', 'fallback', 'cache', 'circuit', 'fault'];
  const untaken = [...ways, 'CIRCUIT_OPEN', 'late-result'].filter((way) => !report.events[way]);
  assert.deepEqual(untaken, []);
});

test('a circuit a key weighs at most a KiB with its pipeline, has no timer, and is forgotten when idle', async () => {
  const keyed = await soakKeyedBreakers(30_000);
  const heaviest = Math.max(keyed.made, keyed.used, keyed.failed);
  assert.ok(heaviest <= 1_024, `${heaviest} bytes`);
  assert.deepEqual([keyed.timersLeft, keyed.forgotten], [0, 30_000]);
  // The last two thousand that were used are known for a while yet, and the map does not shrink.
  assert.ok(keyed.bytesAfter <= 3 * NOISE_BYTES, `${keyed.bytesAfter} bytes`);
});
