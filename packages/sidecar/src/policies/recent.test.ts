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
