import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addHeader, type HeaderMap } from './add-header.ts';

test('a header stands beside those that have its name', () => {
  const headers: HeaderMap = {};
  for (const value of ['1', '2', '3']) addHeader(headers, 'a', value);
  addHeader(headers, 'b', '4');
  assert.deepEqual(headers, { a: ['1', '2', '3'], b: '4' });
});

test('names that objects have by themselves are headers like others', () => {
  const headers: HeaderMap = {};
  for (const name of ['constructor', 'toString', '__proto__', '__proto__']) {
    addHeader(headers, name, name);
  }
  assert.deepEqual(Object.entries(headers), [
    ['constructor', 'constructor'],
    ['toString', 'toString'],
    ['__proto__', ['__proto__', '__proto__']],
  ]);
  assert.equal(Object.getPrototypeOf(headers), Object.prototype);
});
