import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rangeAssigner } from './range-assigner.ts';

test('of each topic its readers have neighbouring partitions, all of them and none twice', () => {
  const reads = { b: ['two', 'one'], a: ['two'], c: ['one', 'two'] };

  assert.deepEqual(assign(reads, { one: 1, two: 5 }), {
    a: { two: [0, 1] },
    b: { one: [0], two: [2, 3] },
    c: { two: [4] },
  });
});

test('a topic that the leader does not read goes to those who do', () => {
  assert.deepEqual(assign({ leader: ['mine'], other: ['theirs'] }, { mine: 1, theirs: 2 }), {
    leader: { mine: [0] },
    other: { theirs: [0, 1] },
  });
});

function assign(
  reads: Readonly<Record<string, readonly string[]>>,
  partitions: Readonly<Record<string, number>>,
) {
  const [leader = ''] = Object.keys(reads);
  const members = new Map(Object.entries(reads).map(([id, topics]) => [id, { topics }]));
  const topics = new Map(
    Object.entries(partitions).map(([topic, partitionsCount]) => [topic, { partitionsCount }]),
  );
  const assigned = rangeAssigner(leader, members, new Set(reads[leader]), { topics });
  return Object.fromEntries(
    assigned.map(({ memberId, assignments }) => [
      memberId,
      Object.fromEntries([...assignments.values()].map((one) => [one.topic, one.partitions])),
    ]),
  );
}
