import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, nearest } from './nearest.ts';

test('the nearest word is what was meant, and nothing is where none is near', () => {
  const words = ['retryApi', 'retryOther', 'cb', 'general'];
  const asked = ['retryAp', 'RETRYAPI', 'rteryApi', 'cbb', 'genral', 'timeout', 'x'];
  assert.deepEqual(
    asked.map((word) => nearest(word, words)),
    ['retryApi', 'retryApi', 'retryApi', 'cb', 'general', undefined, undefined],
  );
});

test('two neighbours that changed places are one mistake', () => {
  const pairs = [
    ['abcd', 'abdc'],
    ['abcd', 'abcd'],
    ['', 'abc'],
    ['kitten', 'sitting'],
  ] as const;
  assert.deepEqual(
    pairs.map(([a, b]) => editDistance(a, b)),
    [1, 0, 3, 3],
  );
  assert.equal(editDistance('aaaaaaaa', 'bbbbbbbb', 3), 3, 'stops counting at the limit');
});
