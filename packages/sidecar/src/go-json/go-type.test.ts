import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goAny, goInt, goMap, goSlice, goString, goStruct, readInto } from './go-type.ts';

const INNER = goStruct('pkg.Inner', { word: goString });
const OUTER = goStruct('pkg.Outer', {
  name: goString,
  count: goInt,
  any: goAny,
  words: goMap(goString),
  inner: INNER,
  list: goSlice(INNER),
});

test('names in any letter case, null and what is not there as nothing, unknown names overlooked', () => {
  const given = {
    NAME: 'n',
    count: null,
    words: { a: 'b', c: null },
    list: [null, { Word: 'w' }],
    x: 1,
  };
  assert.deepEqual(readInto(OUTER, given), {
    name: 'n',
    count: 0,
    any: null,
    words: { a: 'b', c: '' },
    inner: { word: '' },
    list: [{ word: '' }, { word: 'w' }],
  });
});

test('what has another type is said with its place in the struct', () => {
  const said = (given: unknown) => {
    try {
      return readInto(OUTER, given);
    } catch (error) {
      return (error as Error).message.replace('json: cannot unmarshal ', '');
    }
  };
  const wrong = [
    5,
    { name: 1 },
    { count: 1.5 },
    { inner: { word: [] } },
    { list: [{ word: true }] },
    { list: [1] },
    { any: Infinity },
  ];
  assert.deepEqual(wrong.map(said), [
    'number into Go value of type pkg.Outer',
    'number into Go struct field Outer.name of type string',
    'number 1.5 into Go struct field Outer.count of type int',
    'array into Go struct field Inner.inner.word of type string',
    'bool into Go struct field Inner.list.word of type string',
    'number into Go struct field Outer.list of type pkg.Inner',
    'number into Go struct field Outer.any of type float64',
  ]);
});

test('what may be anything is not endlessly deep', () => {
  const deep = JSON.parse(`{"any":${'['.repeat(5_000)}${']'.repeat(5_000)}}`);
  assert.throws(() => readInto(OUTER, deep), { message: 'exceeded max depth' });
});
