import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { FirstStarts } from './first-starts.ts';
import type { KafkaConsumer, KafkaMessage, KafkaModule, KafkaStart } from './module.ts';

test('the first record of each partition was begun as often as stands beside its offset', async () => {
  const { record, starts } = begin([
    { partitionIndex: 0, committedOffset: 7n, metadata: 'holdfast-started=3' },
    { partitionIndex: 1, committedOffset: 9n, metadata: 'holdfast-started=3' },
    { partitionIndex: 2, committedOffset: 4n, metadata: 'somebody else’s' },
    { partitionIndex: 3, committedOffset: -1n, metadata: '' },
  ]);
  await starts.read();

  const asked = [
    record(0, 7n),
    record(0, 8n),
    // The one at 9 is gone by retention: what stands there is about that one.
    record(1, 12n),
    record(2, 4n),
    record(3, 0n),
  ];
  assert.deepEqual(
    asked.map((each) => starts.first(each)),
    [3, undefined, 0, 0, 0],
  );
});

test('that a record begins is committed at its own offset, so that it comes again all the same', async () => {
  const { committed, record, starts } = begin([]);
  await starts.read();
  await starts.note(record(2, 4n), 2);

  assert.deepEqual(committed, ['g/7/me t/2@4: holdfast-started=2']);
});

test('what cannot be read or written is not counted, and nothing fails for it', async () => {
  const { record, starts } = begin([], () => {
    throw new Error('not authorised');
  });
  await starts.read();
  await starts.note(record(0, 1n), 1);

  assert.equal(starts.first(record(0, 1n)), 0);
});

function begin(kept: readonly KafkaStart[], refuse: () => void = () => {}) {
  const committed: string[] = [];
  const kafka: Pick<KafkaModule, 'offsetCommitV8' | 'offsetFetchV8'> = {
    offsetCommitV8: {
      api: {
        async async(_connection, group, generation, member, _instance, topics) {
          refuse();
          for (const { name, partitions } of topics) {
            for (const { committedMetadata, committedOffset, partitionIndex } of partitions) {
              const place = `${name}/${partitionIndex}@${committedOffset}`;
              committed.push(`${group}/${generation}/${member} ${place}: ${committedMetadata}`);
            }
          }
        },
      },
    },
    offsetFetchV8: {
      api: {
        async async() {
          refuse();
          return { groups: [{ topics: [{ partitions: kept }] }] };
        },
      },
    },
  };
  const consumer = {
    ...{ groupId: 'g', generationId: 7, memberId: 'me', coordinatorId: 1 },
    assignments: [{ topic: 't', partitions: [0, 1, 2, 3] }],
    currentMetadata: { brokers: new Map([[1, { host: 'h', port: 1 }]]) },
    connections: { get: async () => ({}) },
  };
  const options = { kafka: kafka as KafkaModule, clock: systemClock, timeoutMs: 10_000 };
  const starts = new FirstStarts(options, consumer as unknown as KafkaConsumer, 't');
  const record = (partition: number, offset: bigint): KafkaMessage => {
    const place = { topic: 't', partition, offset, leaderEpoch: 0, timestamp: 0n };
    return { ...place, key: null, value: null, headers: new Map() };
  };
  return { committed, record, starts };
}
