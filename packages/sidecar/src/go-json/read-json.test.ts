import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstJson, wholeJson } from './read-json.ts';

test('what is wrong with a text is said in the words of Go', () => {
  const said = (text: string) => {
    try {
      return JSON.stringify(wholeJson(text));
    } catch (error) {
      return (error as Error).message;
    }
  };
  const texts = [
    '',
    '{',
    '[1',
    '[1,]',
    '{"a":1,}',
    "{'a'}",
    '{"a" 1}',
    '{"a":1 2}',
    '[1 2]',
    'nul',
    'nulx',
  ];
  const more = [
    '"\n"',
    '"\\q"',
    '"\\u00g0"',
    '-',
    '-x',
    '1.',
    '1.x',
    '1e',
    '1ex',
    '01',
    '1 2',
    '\uFEFF1',
    'é',
  ];
  assert.deepEqual([...texts, ...more].map(said), [
    'unexpected end of JSON input',
    'unexpected end of JSON input',
    'unexpected end of JSON input',
    "invalid character ']' looking for beginning of value",
    "invalid character '}' looking for beginning of object key string",
    "invalid character '\\'' looking for beginning of object key string",
    "invalid character '1' after object key",
    "invalid character '2' after object key:value pair",
    "invalid character '2' after array element",
    'unexpected end of JSON input',
    "invalid character 'x' in literal null (expecting 'l')",
    "invalid character '\\n' in string literal",
    "invalid character 'q' in string escape code",
    "invalid character 'g' in \\u hexadecimal character escape",
    'unexpected end of JSON input',
    "invalid character 'x' in numeric literal",
    'unexpected end of JSON input',
    "invalid character 'x' after decimal point in numeric literal",
    'unexpected end of JSON input',
    "invalid character 'x' in exponent of numeric literal",
    "invalid character '1' after top-level value",
    "invalid character '2' after top-level value",
    "invalid character 'ï' looking for beginning of value",
    "invalid character 'Ã' looking for beginning of value",
  ]);
});

test('the first value of a text is read, whatever follows; nothing is the end of it', () => {
  assert.deepEqual([firstJson('[1] x'), firstJson('{}{}'), firstJson(' 5')], [[1], {}, 5]);
  assert.throws(() => firstJson(' '), { message: 'EOF' });
  assert.throws(() => firstJson('[1'), { message: 'unexpected EOF' });
});

test('a text nested without end is refused, not a reason to fall over', () => {
  assert.throws(() => firstJson('['.repeat(200_000)), { message: 'exceeded max depth' });
});
