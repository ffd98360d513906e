import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as kafka from '@platformatic/kafka';
import type { KafkaBrokerOptions } from './options.ts';
import { resolveKafkaOptions } from './options.ts';

test('what tunes Kafka’s clients is refused by name where it cannot work', () => {
  const resolve = (more: object) =>
    resolveKafkaOptions({
      ...{ kafka, bootstrap: ['h:1'], clientId: 'c' },
      ...more,
    } as KafkaBrokerOptions);
  const refused: readonly (readonly [object, RegExp])[] = [
    [
      { compression: 'rar' },
      /^kafkaBroker\.compression must be none, gzip, snappy, lz4, zstd, not rar\.$/,
    ],
    [
      { assignment: 'fair' },
      /^kafkaBroker\.assignment must be range, roundrobin, sticky, not fair\.$/,
    ],
    [
      { isolation: 'serializable' },
      /^kafkaBroker\.isolation must be committed or uncommitted, not serializable\.$/,
    ],
    [{ memberName: 'one two' }, /^kafkaBroker\.memberName must be text without spaces, not "one/],
    [{ clientId: ' ' }, /^kafkaBroker\.clientId must not be empty\.$/],
    [{ fetchMinBytes: 0 }, /^kafkaBroker\.fetchMinBytes must be a whole number from 1 to/],
    [{ fetchPartitionBytes: 0.5 }, /^kafkaBroker\.fetchPartitionBytes must be a whole number/],
    [{ heartbeatMs: 4_000 }, /^kafkaBroker\.heartbeatMs must be a whole number from 100 to 3333/],
  ];
  for (const [more, message] of refused) assert.throws(() => resolve(more), { message });
  assert.equal(resolve({ clientId: 'orders service' }).memberName, 'orders-service');
  assert.equal(resolve({ compression: 'zstd', heartbeatMs: 3_000 }).compression, 'zstd');
});
