import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneSuspect } from './one-suspect.ts';

test('what was taken is kept up to the second that was handed over before', () => {
  const kept = (...deliveries: number[]) => oneSuspect(deliveries, (before) => before > 0);

  assert.deepEqual(
    [kept(), kept(0, 0), kept(0, 1, 0), kept(1, 0, 3, 0, 1), kept(2, 1)],
    [[], [0, 0], [0, 1, 0], [1, 0], [2]],
  );
});
