import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CountWindow } from './count-window.ts';

test('a window knows its last calls, as a list would, and is empty once it has been cleared', () => {
  const step = fc.oneof({ weight: 20, arbitrary: fc.boolean() }, fc.constant('clear' as const));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.array(step), (size, steps) => {
      const window = new CountWindow(size);
      let all: boolean[] = [];
      for (const isBad of steps) {
        if (isBad === 'clear') {
          window.clear();
          all = [];
        } else {
          window.record(isBad);
          all.push(isBad);
        }
        const recent = all.slice(-size);
        assert.deepEqual(window.total(), {
          calls: recent.length,
          bad: recent.filter((bad) => bad).length,
        });
      }
    }),
  );
});
