import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recent } from './recent.ts';

test('over its limit it drops what was used least recently, and says so', () => {
  const dropped: string[] = [];
  const recent = new Recent<number>(2, (_value, key) => dropped.push(key));
  recent.set('a', 1);
  recent.set('b', 2);
  recent.get('a');
  recent.set('c', 3);

  assert.deepEqual(
    [dropped, recent.get('a'), recent.get('b'), recent.get('c')],
    [['b'], 1, undefined, 3],
  );
});

test('the order of use holds over any reading, writing and dropping', () => {
  const dropped: string[] = [];
  const recent = new Recent<string>(3, (_value, key) => dropped.push(key));
  for (const key of ['a', 'b', 'c']) recent.set(key, key);
  for (const key of ['b', 'a', 'a']) recent.get(key);
  recent.put('c', 'another c, not used by that');
  recent.set('b', 'a newer b');
  recent.set('d', 'd');
  recent.set('e', 'e');
  recent.set('f', 'f');

  assert.deepEqual(dropped, ['c', 'a', 'b']);
  assert.deepEqual(
    [...recent.entries()].map(([key]) => key),
    ['d', 'e', 'f'],
  );
  recent.clear();
  assert.deepEqual([dropped.length, recent.get('d'), [...recent.entries()]], [6, undefined, []]);
  recent.set('g', 'g');
  assert.equal(recent.get('g'), 'g');
});

test('with no room at all it keeps nothing', () => {
  const dropped: string[] = [];
  const recent = new Recent<number>(0, (_value, key) => dropped.push(key));
  recent.set('a', 1);

  assert.deepEqual([recent.get('a'), dropped], [undefined, ['a']]);
});
