import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CircuitOpenError } from '@holdfast/core';
import { parseRetryAfter, retryAfterHint } from './retry-after.ts';

const NOW = Date.UTC(1994, 10, 6, 8, 49, 30);

test('seconds and all three forms of a date are understood, whatever the machine’s zone', () => {
  const dates = [
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
  ];

  assert.deepEqual(
    [' 120 ', '0', ...dates].map((value) => parseRetryAfter(value, NOW)),
    [120_000, 0, 7_000, 7_000, 7_000],
  );
});

test('the past is now, the far future an hour, and nonsense nothing', () => {
  const given = ['Sat, 05 Nov 1994 08:49:37 GMT', 'Mon, 07 Nov 1994 08:49:37 GMT', '9'.repeat(30)];
  const nonsense = [
    undefined,
    '',
    '-5',
    '1.5',
    '1e3',
    'soon',
    '1994-11-06',
    'Sun, 99 Foo 1994 08:49:37 GMT',
  ];

  assert.deepEqual(
    given.map((value) => parseRetryAfter(value, NOW)),
    [0, 3_600_000, 3_600_000],
  );
  assert.deepEqual(
    nonsense.map((value) => parseRetryAfter(value, NOW)),
    nonsense.map(() => undefined),
  );
});

test('the hint reads answers and refusals, and knows nothing of anything else', () => {
  const hint = retryAfterHint({ wallMs: () => NOW });
  const outcomes = [
    { value: new Response(null, { headers: { 'retry-after': '2' } }) },
    { value: { headers: { 'retry-after': '3' } } },
    { error: new CircuitOpenError('c', 'open', 400) },
    { error: new Error('reset') },
    { value: null },
    { value: new Response() },
    {},
  ];

  assert.deepEqual(outcomes.map(hint), [
    2_000,
    3_000,
    400,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
