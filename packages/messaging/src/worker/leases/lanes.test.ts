import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lease } from '../../store.ts';
import { batchLane, behind, type Lane, lanesOf } from './lanes.ts';

test('jobs of one topic and key are one lane, all others a lane each', () => {
  const leases = [lease('a'), lease('k1', 'k'), lease('b'), lease('k2', 'k'), lease('k3', 'k')];

  assert.deepEqual(lanesOf(leases).map(shown), [[['a']], [['k1'], ['k2'], ['k3']], [['b']]]);
});

test('the same key on another topic is another lane', () => {
  assert.equal(lanesOf([lease('a', 'k'), lease('b', 'k', 1, 'other')]).length, 2);
});

test('a batch is one lane, in which what failed before stands alone', () => {
  const leases = [lease('a'), lease('b'), lease('again', undefined, 2), lease('c')];

  assert.deepEqual(shown(batchLane(leases)), [['a', 'b'], ['again'], ['c']]);
});

test('behind an unfinished job are those of its key', () => {
  const rest = [lease('k2', 'k'), lease('other', 'o'), lease('none')];

  assert.deepEqual(
    behind(rest, [lease('k1', 'k'), lease('free')]).map(({ message }) => message.id),
    ['k2'],
  );
});

function lease(id: string, key?: string, delivery = 1, topic = 'work'): Lease {
  const message = { id, topic, key, body: Buffer.alloc(0), headers: {} };
  return { token: 't', seq: 0, message, delivery, expired: false };
}

function shown(lane: Lane) {
  return lane.map((unit) => unit.map(({ message }) => message.id));
}
