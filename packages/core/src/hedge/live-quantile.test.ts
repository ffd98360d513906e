import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LiveQuantile } from './live-quantile.ts';

test('is the quantile of what it was told, and at most a tenth more', () => {
  const durations = fc.array(fc.double({ min: 0.2, max: 100_000, noNaN: true }), {
    minLength: 1,
    maxLength: 200,
    size: 'max',
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

test('is looked up at each call while there are few, and at every sixteenth when there are many', () => {
  const live = new LiveQuantile(0.99, 1_000, 0);
  const told = (times: number, durationMs: number) => {
    for (let n = 0; n < times; n += 1) live.add(durationMs, 0);
    return Math.round(live.valueMs(0));
  };
  // One slow of three is among 99 % of them, one of 300 is not; sixteen are, and are seen at the sixteenth.
  assert.deepEqual(
    [told(2, 10), told(1, 1_000), told(297, 10), told(15, 1_000), told(1, 1_000)],
    [11, 1_035, 11, 11, 1_035],
  );
});

test('counts the shortest in the first bucket and the longest in the last', () => {
  for (const [durationMs, boundMs] of [
    [0, 0.1],
    [0.1, 0.1],
    [0.100_1, 0.11],
    [1e9, 0.1 * 1.1 ** 159],
    [0.1 * 1.1 ** 159.5, 0.1 * 1.1 ** 159],
    [0.1 * 1.1 ** 158.5, 0.1 * 1.1 ** 159],
    [0.1 * 1.1 ** 157.5, 0.1 * 1.1 ** 158],
  ] as const) {
    const live = new LiveQuantile(0.5, 1_000, 0);
    live.add(durationMs, 0);
    assert.ok(Math.abs(live.valueMs(0) / boundMs - 1) < 1e-9, `${durationMs}`);
  }
  assert.equal(new LiveQuantile(0.5, 1_000, 0).valueMs(0), 0);
});

test('turns its halves at the same moments, however often it is asked', () => {
  const step = fc.record({ afterMs: fc.oneof(fc.nat(120), fc.nat(2_500)), asks: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const live = new LiveQuantile(0.5, 1_000, 300);
      let nowMs = 300;
      let turnAtMs = 800;
      let [young, old]: [number, number] = [0, 0];
      for (const { afterMs, asks } of steps) {
        nowMs += afterMs;
        const late = nowMs - turnAtMs;
        if (late >= 500) [young, old] = [0, 0];
        else if (late >= 0) [young, old] = [0, young];
        // After a long pause a half begins now.
        if (late >= 1_000) turnAtMs = nowMs + 500;
        else while (turnAtMs <= nowMs) turnAtMs += 500;
        if (asks) live.valueMs(nowMs);
        else {
          live.add(10, nowMs);
          young += 1;
        }
        assert.equal(live.count, young + old);
        assert.equal(Math.round(live.valueMs(nowMs)), young + old === 0 ? 0 : 11);
      }
    }),
  );
});
