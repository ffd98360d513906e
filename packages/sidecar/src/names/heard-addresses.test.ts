import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeardAddresses, MOST_ADDRESSES } from './heard-addresses.ts';

test('sidecars that were killed without a goodbye, however many, leave room for those that live', () => {
  const heard = new HeardAddresses();
  for (let n = 0; n < 3 * MOST_ADDRESSES; n += 1) heard.hear(`a:${n}`, n * 10 + 60, n * 10);
  const nowMs = 30 * MOST_ADDRESSES;
  heard.hear('b:1', nowMs + 60, nowMs);
  assert.deepEqual(heard.fresh(nowMs).at(-1), 'b:1');
});

test('of more that live than are remembered the first stay, and are good for longer when heard again', () => {
  const heard = new HeardAddresses();
  for (let n = 0; n <= MOST_ADDRESSES; n += 1) heard.hear(`a:${n}`, 60, 0);
  const first = heard.fresh(0);
  heard.hear('a:0', 120, 30);
  assert.deepEqual(
    [first.length, first.includes(`a:${MOST_ADDRESSES}`), heard.fresh(60)],
    [MOST_ADDRESSES, false, ['a:0']],
  );
  heard.forget('a:0');
  assert.deepEqual(heard.fresh(60), []);
});
