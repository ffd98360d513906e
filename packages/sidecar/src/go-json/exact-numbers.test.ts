import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExactly } from './exact-numbers.ts';
import { writeJson } from './write-json.ts';

test('a number that JavaScript cannot hold is written as it was read', () => {
  const texts = [
    '9007199254740993',
    '-12345678901234567890',
    '123456.12345678901',
    '1.0',
    '0.10',
    '1E5',
    '1e400',
    '{"a":[1.50,{"b":1e2}],"c":1.5}',
  ];
  assert.deepEqual(
    texts.map((text) => writeJson(parseExactly(text))),
    texts,
  );
});

test('a text with digits in it stays a text', () => {
  const text = '"1.0 and 12345678901234567890"';
  assert.equal(writeJson(parseExactly(text)), text);
});
