import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Capacity } from './capacity.ts';

test('is the best second times the least latency of the last ten, as a list would have it', () => {
  const call = fc.record({
    afterMs: fc.oneof(fc.nat(50), fc.nat(400), fc.nat(12_000)),
    tookMs: fc.integer({ min: 1, max: 900 }),
  });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 60, size: 'max' }), (calls) => {
      const capacity = new Capacity();
      const all: { readonly second: number; readonly tookMs: number }[] = [];
      let nowMs = 0;
      assert.equal(capacity.at(0), Infinity);
      for (const { afterMs, tookMs } of calls) {
        nowMs += afterMs;
        capacity.ended(nowMs, tookMs);
        const now = Math.floor(nowMs / 1_000);
        all.push({ second: now, tookMs });
        const recent = all.filter(({ second }) => second > now - 10);
        const over = recent.filter(({ second }) => second !== now);
        const most = Math.max(
          0,
          ...over.map((one) => over.filter(({ second }) => second === one.second).length),
        );
        const leastMs = Math.min(...recent.map((one) => one.tookMs));
        const expected = most === 0 ? Infinity : Math.max(1, (most * leastMs) / 1_000);
        assert.equal(capacity.at(nowMs), expected);
      }
    }),
  );
});
