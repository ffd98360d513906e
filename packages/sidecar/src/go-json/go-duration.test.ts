import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goDuration } from './go-duration.ts';

test('durations are printed as Go prints them', () => {
  assert.deepEqual([0, 250, 2_000, 2_500, 60_000, 180_000, 3_600_000, 3_725_010].map(goDuration), [
    '0s',
    '250ms',
    '2s',
    '2.5s',
    '1m0s',
    '3m0s',
    '1h0m0s',
    '1h2m5.01s',
  ]);
});
