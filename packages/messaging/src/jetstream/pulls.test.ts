import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pullOnTrial } from './pulls.ts';

const got = (...given: (readonly [deliveryCount: number, pending: number])[]) =>
  given.map(([deliveryCount, pending]) => ({
    info: { stream: 's', streamSequence: 1, deliveryCount, pending },
  }));

test('one is asked for until that is new, and then those that wait behind it', () => {
  const asked = [got(), got([2, 9]), got([1, 9]), got([1, 200]), got([1, 2], [3, 1], [1, 0])].map(
    (before) => pullOnTrial(50, before).max_messages,
  );

  assert.deepEqual(asked, [1, 1, 9, 50, 1]);
});

test('what waits for something new to come asks for one, and for long', () => {
  assert.deepEqual(pullOnTrial(50, got([1, 0])), { max_messages: 1, expires: 30_000 });
});
