import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TimeWindow } from './time-window.ts';

test('a window knows the calls of its last ten buckets, as a list would', () => {
  const call = fc.record({
    afterMs: fc.integer({ min: 0, max: 400 }),
    failed: fc.boolean(),
    asked: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 100, size: 'max' }), (calls) => {
      const window = new TimeWindow(1_000);
      const all: Array<{ bucket: number; failed: boolean }> = [];
      let nowMs = 0;
      for (const { afterMs, asked, failed } of calls) {
        nowMs += afterMs;
        window.record(failed, nowMs);
        all.push({ bucket: Math.floor(nowMs / 100), failed });
        // A circuit asks after failures alone.
        if (!asked) continue;
        const recent = all.filter(({ bucket }) => bucket > Math.floor(nowMs / 100) - 10);
        assert.deepEqual(window.total(nowMs), {
          calls: recent.length,
          bad: recent.filter((one) => one.failed).length,
        });
      }
    }),
  );
});

test('a window is empty once it has been cleared', () => {
  const window = new TimeWindow(1_000);
  window.record(true, 5);
  window.clear();
  assert.deepEqual(window.total(6), { calls: 0, bad: 0 });
});
