import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LiveQuantile } from './live-quantile.ts';

test('is the quantile of what it was told, and at most a tenth more', () => {
  const durations = fc.array(fc.double({ min: 0.2, max: 100_000, noNaN: true }), {
    minLength: 1,
    maxLength: 200,
  });
  fc.assert(
    fc.property(durations, fc.constantFrom(0.5, 0.9, 0.95, 0.99), (given, quantile) => {
      const live = new LiveQuantile(quantile, 1_000, 0);
      for (const durationMs of given) live.add(durationMs, 0);
      const sorted = given.toSorted((a, b) => a - b);
      const exact = sorted[Math.ceil(given.length * quantile - 1e-9) - 1]!;
      const said = live.valueMs(0);
      // It is looked up anew only every so often; asked for the first time here, it is exact.
      assert.ok(said >= exact * 0.999_999 && said <= exact * 1.100_001, `${said} for ${exact}`);
      assert.equal(live.count, given.length);
    }),
  );
});

test('forgets what is older than its window, and keeps at least half of it', () => {
  const live = new LiveQuantile(0.5, 1_000, 0);
  live.add(100, 0);
  live.add(100, 400);
  const counts = [live.count];
  for (const nowMs of [500, 999, 1_000, 5_000]) {
    live.valueMs(nowMs);
    counts.push(live.count);
  }
  live.add(7, 5_000);
  assert.deepEqual([counts, Math.round(live.valueMs(5_000))], [[2, 2, 2, 0, 0], 7]);
});
