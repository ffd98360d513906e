import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeJson } from './write-json.ts';

test('names come in order, also those that look like numbers, and nothing is left for HTML to find', () => {
  const value = { b: [1, null, { z: true, a: '\u2028' }], '10': '<&>', '9': 'é', gone: undefined };
  assert.equal(
    writeJson(value),
    '{"10":"\\u003c\\u0026\\u003e","9":"é","b":[1,null,{"a":"\\u2028","z":true}]}',
  );
});

test('half a character is the one that stands for what cannot be read', () => {
  assert.equal(writeJson('\ud800'), '"\ufffd"');
});
