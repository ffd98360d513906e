import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnhandledSequences } from './unhandled-sequences.ts';

test('goes on with the first that was not handled, else behind the last that came', () => {
  const unhandled = new UnhandledSequences();
  const seen = [unhandled.first()];
  const after = (step: () => void) => {
    step();
    seen.push(unhandled.first());
  };

  after(() => unhandled.add(5));
  after(() => unhandled.add(7));
  after(() => unhandled.delete(5));
  after(() => unhandled.delete(7));
  after(() => unhandled.add(5));

  assert.deepEqual(seen, [undefined, 5, 5, 7, 8, 5]);
});
