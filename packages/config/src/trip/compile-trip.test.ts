import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CircuitCounts } from '@holdfast/core';
import { compileTrip } from './compile-trip.ts';

describe('trip', () => {
  test('says what CEL says of the counts, whole numbers divided as whole numbers', () => {
    const counts = { requests: 12, totalSuccesses: 5, totalFailures: 7, consecutiveFailures: 6 };
    const texts = [
      'consecutiveFailures > 5',
      'consecutiveFailures > 6',
      'requests > 10 && double(totalFailures) / double(requests) > 0.5',
      'totalFailures / requests > 0.5',
      'totalFailures % 2 == 1 ? true : false',
      '[5, 6].exists(n, n == consecutiveFailures)',
      'true',
    ];
    assert.deepEqual(
      texts.map((text) => evaluate(text, counts)),
      [true, false, true, false, true, true, true],
    );
  });

  test('is false where it cannot be evaluated, unless the rest decides', () => {
    const counts = { consecutiveFailures: 9 };
    const texts = [
      'foo > 3',
      'consecutiveFailures > 5 || foo > 3',
      'foo > 3 || consecutiveFailures > 5',
      '1 / (consecutiveFailures - 9) > 0',
      'consecutiveFailures',
    ];
    assert.deepEqual(
      texts.map((text) => evaluate(text, counts)),
      [false, true, true, false, false],
    );
  });

  test('failures in a row are handed to the circuit as a number, anything else as a question', () => {
    const of = (text: string) => compileTrip(text).trip?.consecutiveFailures;
    const texts = [
      'consecutiveFailures > 5',
      'consecutiveFailures >= 5',
      ' consecutiveFailures>=0 ',
      'consecutiveFailures > 5 && requests > 9',
      'consecutiveFailures > 123456',
      'totalFailures > 5',
    ];
    assert.deepEqual(texts.map(of), [6, 5, 1, undefined, undefined, undefined]);
  });

  test('what compiles and is questionable is named, with its place', () => {
    const faults = (text: string) =>
      compileTrip(text).faults.map(({ kind, offset, word }) => [kind, offset, word]);
    assert.deepEqual(faults('requests > 10 && consecutiveFailure > 5'), [
      ['undeclared-variable', 17, 'consecutiveFailure'],
    ]);
    assert.deepEqual(faults('requests'), [['trip-not-boolean', 0, undefined]]);
    assert.deepEqual(faults('requests > 9 && totalFailures / requests > 0.5'), [
      ['integer-division', 16, undefined],
    ]);
    for (const never of [
      'false',
      'consecutiveSuccesses > 0',
      'requests < 0',
      'requests < totalFailures',
    ]) {
      assert.deepEqual(faults(never), [['breaker-cannot-trip', 0, undefined]], never);
    }
    for (const rare of ['requests == 12345 && totalSuccesses == 12344', 'totalFailures > 999998']) {
      assert.deepEqual(faults(rare), [], rare);
    }
  });

  test('refuses what costs more than a failure is worth', () => {
    const refused = (text: string) => {
      const { trip, faults } = compileTrip(text);
      return trip === undefined ? faults[0]?.message : 'accepted';
    };
    assert.deepEqual(
      [
        '[1].all(x, [1].all(y, x == y))',
        'string(requests).matches("(a+)+$")',
        `requests > ${'1 + '.repeat(300)}1`,
        `${'('.repeat(400)}true${')'.repeat(400)}`,
      ].map((text) => refused(text)?.replace(/:.*/, '')),
      [
        'calls all(), too costly for every failure',
        'calls matches(), too costly for every failure',
        'is 1212 characters long, and 1000 are allowed',
        'is not valid CEL',
      ],
    );
  });
});

function evaluate(text: string, counts: Partial<CircuitCounts>): boolean {
  const { trip, faults } = compileTrip(text);
  assert.ok(trip, faults[0]?.message);
  const none = { requests: 9, totalSuccesses: 0, totalFailures: 9, consecutiveFailures: 9 };
  return trip.evaluate({ ...none, consecutiveSuccesses: 0, ...counts });
}
