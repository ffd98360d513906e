import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roundRobinAssigner } from './round-robin-assigner.ts';
import { stickyAssigner } from './sticky-assigner.ts';
import { readStickyMetadata, stickyMetadata } from './sticky-metadata.ts';

interface Member {
  readonly topics: readonly string[];
  readonly metadata?: Buffer;
}

test('who had a partition keeps it, and what is left goes to those who have least', () => {
  const had = (partitions: readonly number[], generation = 3) => ({
    topics: ['t'],
    metadata: stickyMetadata([{ topic: 't', partitions }], generation),
  });
  const fresh = { topics: ['t'] };
  assert.deepEqual(share({ a: fresh, b: fresh }, { t: 5 }), { a: [0, 2, 4], b: [1, 3] });
  assert.deepEqual(share({ a: had([4, 0]), b: had([1]) }, { t: 5 }), { a: [0, 4, 3], b: [1, 2] });
  // A third member takes from those who have most, and nothing else moves.
  assert.deepEqual(share({ a: had([0, 1, 2]), b: had([3, 4, 5]), c: fresh }, { t: 6 }), {
    a: [0, 1],
    b: [3, 4],
    c: [2, 5],
  });
  // One has left; the one that came back late says what is not true any more.
  assert.deepEqual(share({ a: had([0, 1], 4), b: had([1, 2], 3) }, { t: 3 }), {
    a: [0, 1],
    b: [2],
  });
});

test('nobody has what he does not read, and a partition that is gone is nobody’s', () => {
  const metadata = stickyMetadata([{ topic: 'one', partitions: [0, 7] }], 1);
  assert.deepEqual(
    share({ a: { topics: ['two'], metadata }, b: { topics: ['one', 'two'] } }, { one: 2, two: 2 }),
    { a: [0, 1], b: [0, 1] },
  );
});

test('what a member had is read as it was written, with the generation and without', () => {
  const bytes = stickyMetadata([{ topic: 'é', partitions: [1, 2] }], 9);
  const partitions = [
    { topic: 'é', partition: 1 },
    { topic: 'é', partition: 2 },
  ];
  assert.deepEqual(readStickyMetadata(bytes), { generation: 9, partitions });
  assert.deepEqual(readStickyMetadata(bytes.subarray(0, -4)), { generation: -1, partitions });
  for (const broken of [null, undefined, Buffer.alloc(0), bytes.subarray(0, 7)]) {
    assert.deepEqual(readStickyMetadata(broken), { generation: -1, partitions: [] });
  }
});

test('one by one, the partitions of all topics are dealt out to who reads them', () => {
  const members = { a: { topics: ['one', 'two'] }, b: { topics: ['two'] }, c: { topics: ['two'] } };
  assert.deepEqual(share(members, { two: 4, one: 2, none: 1 }, roundRobinAssigner), {
    a: [0, 1, 2],
    b: [0, 3],
    c: [1],
  });
});

/** By member the partitions, of whatever topic. */
function share(
  members: Readonly<Record<string, Member>>,
  partitions: Readonly<Record<string, number>>,
  assigner = stickyAssigner,
) {
  const topics = new Map(
    Object.entries(partitions).map(([topic, partitionsCount]) => [topic, { partitionsCount }]),
  );
  const assigned = assigner('a', new Map(Object.entries(members)), new Set(), { topics });
  return Object.fromEntries(
    assigned.map(({ assignments, memberId }) => [
      memberId,
      [...assignments.values()].flatMap((one) => one.partitions),
    ]),
  );
}
