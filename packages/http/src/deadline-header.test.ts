import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deadlineFrom, deadlineHeader } from './deadline-header.ts';

test('a deadline is read from either kind of headers, and nonsense is none', () => {
  const given = ['250', '0', '99999999999', '-1', '1.5', 'soon', '', '9'.repeat(400)];
  const read = given.map((value) => deadlineFrom({ 'holdfast-deadline-ms': value }));

  assert.deepEqual(read, [250, 0, 86_400_000, ...Array.from({ length: 5 }, () => undefined)]);
  assert.equal(deadlineFrom(new Headers({ 'Holdfast-Deadline-Ms': '7' })), 7);
  assert.equal(deadlineFrom({ 'holdfast-deadline-ms': ['8', '9'] }), 8);
  assert.equal(deadlineFrom({}), undefined);
});

test('what is left is rounded down, and no limit sends nothing', () => {
  const sent = [12.9, 0, -3, Number.POSITIVE_INFINITY].map(deadlineHeader);

  assert.deepEqual(sent, [
    { 'holdfast-deadline-ms': '12' },
    { 'holdfast-deadline-ms': '0' },
    { 'holdfast-deadline-ms': '0' },
    {},
  ]);
});
