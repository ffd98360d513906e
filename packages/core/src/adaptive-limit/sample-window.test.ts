import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SampleWindow, type WindowSample } from './sample-window.ts';

test('a window ends when its time is over and it holds enough, and says what a list would', () => {
  const sample = fc.record({
    afterMs: fc.nat(60),
    rttMs: fc.oneof(fc.integer({ min: 1, max: 500 }), fc.constantFrom(0.05, 0.1)),
    inFlight: fc.integer({ min: 1, max: 50 }),
    dropped: fc.boolean(),
  });
  const rules = fc.record({
    windowMs: fc.constantFrom(0, 50, 200),
    minSamples: fc.integer({ min: 1, max: 6 }),
  });
  fc.assert(
    fc.property(
      rules,
      fc.array(sample, { maxLength: 80, size: 'max' }),
      ({ windowMs, minSamples }, given) => {
        const window = new SampleWindow(windowMs, minSamples);
        let nowMs = 3_000;
        let endsAtMs: number | undefined;
        let held: (typeof given)[number][] = [];
        for (const one of given) {
          nowMs += one.afterMs;
          const told = window.add(nowMs, one.rttMs, one.inFlight, one.dropped);
          let expected: WindowSample | undefined;
          // What takes no time at all tells nothing of the dependency.
          if (windowMs === 0 || one.rttMs >= 0.1) {
            held.push(one);
            endsAtMs ??= nowMs + windowMs;
            if (windowMs === 0 || (nowMs >= endsAtMs && held.length >= minSamples)) {
              expected = {
                rttMs: held.reduce((sum, { rttMs }) => sum + rttMs, 0) / held.length,
                inFlight: Math.max(...held.map(({ inFlight }) => inFlight)),
                dropped: held.some(({ dropped }) => dropped),
              };
              endsAtMs = nowMs + windowMs;
              held = [];
            }
          }
          assert.deepEqual(told, expected);
        }
      },
    ),
  );
});
