import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration, suggestDuration } from './duration.ts';

test('a duration is read as Go reads it, and a bare whole number as milliseconds', () => {
  const read = (text: string) => {
    const parsed = parseDuration(text);
    return 'ms' in parsed ? parsed.ms : parsed.fault;
  };
  const texts = ['50', '0', '-5', '+5', '5s', '1m30s', '1h1h', '1.5h', '.5s', '1.s', '+5s', '-5s'];
  assert.deepEqual(
    texts.map(read),
    [50, 0, -5, 5, 5_000, 90_000, 7_200_000, 5_400_000, 500, 1_000, 5_000, -5_000],
  );
  assert.deepEqual(
    ['1ns', '250us', '5\u00b5s', '5\u03bcs', '7ms'].map(read),
    [0.000001, 0.25, 0.005, 0.005, 7],
  );
  assert.deepEqual(
    ['', ' 5s', '5 s', '5', '1.5', 's', '.s', '1d', '5s3', '--5s', '3000000h'].map(read),
    [
      'is empty',
      'has spaces around it',
      'has the unit " s", which is not one',
      5,
      'has a number without a unit',
      'has a unit without a number',
      'has a unit without a number',
      'has the unit "d", which is not one',
      'has a number without a unit',
      'has a unit without a number',
      'is longer than 292 years',
    ],
  );
});

test('what was meant is suggested only where it would be a duration', () => {
  const texts = ['5 s', '5sec', '2 Minutes', '1d', '1.5', '250 millis', 'soon', '5', '99999999d'];
  assert.deepEqual(texts.map(suggestDuration), [
    '5s',
    '5s',
    '2m',
    '24h',
    '1.5s',
    '250ms',
    undefined,
    '5s',
    undefined,
  ]);
});
