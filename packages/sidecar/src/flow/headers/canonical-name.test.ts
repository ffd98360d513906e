import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalName } from './canonical-name.ts';

test('names are spelt as Go spells them, the first time and again', () => {
  for (const [lower, spelt] of [
    ['x-request-id', 'X-Request-Id'],
    ['etag', 'Etag'],
    ['www-authenticate', 'Www-Authenticate'],
    ['x_a-b', 'X_a-B'],
    ['1st-try', '1st-Try'],
  ] as const) {
    assert.deepEqual([canonicalName(lower), canonicalName(lower)], [spelt, spelt]);
  }
});
