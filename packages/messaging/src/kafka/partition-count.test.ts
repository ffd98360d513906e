import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartitionCount } from './partition-count.ts';

test('a topic has grown where it has more partitions than before, and only once', async () => {
  const { asked, count } = counting();
  assert.equal(count.first, Number.POSITIVE_INFINITY);
  assert.deepEqual(await asked(2, 2, 'away', 3, 3), [false, false, false, true, false]);
  assert.equal(count.first, 2);
});

test('one that was made anew with fewer has grown when it has more than those', async () => {
  const { asked, count } = counting();
  assert.deepEqual(await asked(3, 0, 1, 2), [false, false, false, true]);
  assert.equal(count.first, 1);
});

function counting() {
  const count = new PartitionCount();
  return {
    count,
    async asked(...answers: readonly (number | 'away')[]) {
      const grown: boolean[] = [];
      for (const partitionsCount of answers) {
        const metadata = async () => {
          if (partitionsCount === 'away') throw new Error('away');
          return { topics: new Map([['t', { partitionsCount }]]) };
        };
        grown.push(await count.hasGrown({ metadata }, 't'));
      }
      return grown;
    },
  };
}
