import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Acceptance } from './acceptance.ts';

test('counts calls and accepts of the last forty slices, as a list would', () => {
  const step = fc.record({
    afterMs: fc.oneof(fc.nat(60), fc.nat(1_500)),
    what: fc.constantFrom('call', 'accept', 'look'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
      const acceptance = new Acceptance(1_000);
      let nowMs = 0;
      const all: { readonly slice: number; readonly what: string }[] = [];
      for (const { afterMs, what } of steps) {
        nowMs += afterMs;
        const slice = Math.floor(nowMs / 25);
        if (what === 'call') acceptance.call(nowMs);
        else if (what === 'accept') acceptance.accept(nowMs);
        else acceptance.turn(nowMs);
        all.push({ slice, what });
        const recent = all.filter((one) => one.slice > slice - 40);
        assert.deepEqual(
          [acceptance.calls, acceptance.accepts],
          ['call', 'accept'].map((kind) => recent.filter((one) => one.what === kind).length),
        );
      }
    }),
  );
});
