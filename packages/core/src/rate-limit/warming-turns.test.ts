import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isInTime, turnsOf } from './turns.ts';

const STEPS = 2_000;

test('warming turns cost what Guava’s formula says, added up in small steps', () => {
  const rules = fc.record({
    limit: fc.integer({ min: 1, max: 50 }),
    intervalMs: fc.constantFrom(100, 1_000),
    warmUpMs: fc.integer({ min: 50, max: 5_000 }),
    maxWaitMs: fc.constantFrom(0, 100, 10_000),
  });
  const visit = fc.record({
    afterMs: fc.oneof(fc.nat(30), fc.nat(3_000)),
  });
  fc.assert(
    fc.property(rules, fc.array(visit, { maxLength: 30, size: 'max' }), (given, visits) => {
      const { limit, intervalMs, warmUpMs, maxWaitMs } = given;
      const turns = turnsOf({ algorithm: 'token-bucket', burst: 1, limit, intervalMs, warmUpMs });
      const everyMs = intervalMs / limit;
      const threshold = warmUpMs / 2 / everyMs;
      const most = threshold + warmUpMs / (2 * everyMs);
      const priceMs = (stored: number) =>
        everyMs * (1 + 2 * (Math.max(0, stored - threshold) / (most - threshold)));
      let stored = most;
      let nowMs = 9_000;
      let freeAtMs = nowMs;
      for (const { afterMs } of visits) {
        nowMs += afterMs;
        if (nowMs > freeAtMs) {
          // Cold again after being idle for as long as it takes to warm up.
          stored = Math.min(most, stored + ((nowMs - freeAtMs) * most) / warmUpMs);
          freeAtMs = nowMs;
        }
        const waitMs = freeAtMs - nowMs;
        const saidMs = turns.take(nowMs, maxWaitMs);
        assert.ok(Math.abs(saidMs - waitMs) < 0.01, `${saidMs}, not ${waitMs}`);
        if (!isInTime(saidMs, maxWaitMs)) continue;
        let costMs = 0;
        for (let step = 0.5; step < STEPS; step += 1) {
          const left = stored - step / STEPS;
          costMs += (left > 0 ? priceMs(left) : everyMs) / STEPS;
        }
        stored = Math.max(0, stored - 1);
        freeAtMs += costMs;
      }
    }),
    { numRuns: 60 },
  );
});
