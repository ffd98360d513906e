import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Count, countOf, tableOf } from './report.ts';

test('a failure counts by the reason that differences.ts has for it', () => {
  assert.equal(countOf('passed', 'P: no more'), 'passed');
  assert.equal(countOf('failed', 'P: safer so'), 'on purpose');
  assert.equal(countOf('failed', 'N: not there'), 'not yet');
  assert.equal(countOf('hung', undefined), 'unexpected');
  assert.equal(countOf('broken', undefined), 'unexpected');
});

test('the table has a row for each group and one for all', () => {
  const groups = new Map<string, readonly Count[]>([
    ['daprd/state', ['passed', 'passed', 'on purpose']],
    ['ports/daprd', ['unexpected']],
  ]);
  assert.deepEqual(
    tableOf(groups)
      .split('\n')
      .map((line) => line.split(/ {2,}/)),
    [
      ['group', 'cases', 'passed', 'on purpose', 'not yet', 'unexpected'],
      ['daprd/state', '3', '2', '1', '0', '0'],
      ['ports/daprd', '1', '0', '0', '0', '1'],
      ['all', '4', '2', '1', '0', '1'],
    ],
  );
});
