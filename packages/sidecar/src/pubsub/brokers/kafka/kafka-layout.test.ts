import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kafkaLayout } from './kafka-layout.ts';

const plain = kafkaLayout({ escapeHeaders: false });

test('keys lie where the client of daprd puts them', () => {
  // What the real daprd did in a topic of three partitions.
  const partitions = ['k1', 'customer-7', 'é', 'a', 'k3'].map((key) => recordOf({ key }).partition);
  assert.deepEqual(
    partitions.map((partition = NaN) => partition % 3),
    [1, 0, 0, 0, 2],
  );
});

test('the key is a header too; __key is one where there is no partitionKey', () => {
  const { headers, key } = recordOf({ headers: { __key: 'k', color: 'red' } });
  assert.deepEqual([String(key), Array.from(headers, String)], ['k', ['__key,k', 'color,red']]);
});

test('a partition that is no number is refused', () => {
  assert.throws(() => recordOf({ headers: { partitionNumber: '-1' } }), {
    message: 'invalid partitionNumber metadata value "-1"',
  });
});

test('metadata that are excluded are no headers, either way', () => {
  const layout = kafkaLayout({ escapeHeaders: false, excludedHeaders: /^secret/ });
  const { headers } = layout.recordOf({
    ...{ id: 'i', topic: 't', key: undefined, body: Buffer.from('x') },
    headers: { secretName: '1', mine: '2' },
  });
  assert.deepEqual(Array.from(headers, String), ['mine,2']);
  const came = layout.messageOf({
    ...{
      topic: 't',
      partition: 0,
      offset: 1n,
      timestamp: 2n,
      leaderEpoch: 0,
      key: null,
      value: null,
    },
    headers: new Map([[Buffer.from('secretName'), Buffer.from('1')]]),
  });
  assert.equal(came.headers.secretName, undefined);
});

test('a tombstone is the text null, both ways', () => {
  assert.deepEqual(
    [recordOf({ body: 'null' }).value, String(messageOf(plain, null).body)],
    [undefined, 'null'],
  );
});

test('a record says where it lies, and is named by that', () => {
  const { headers, id, key } = messageOf(plain, Buffer.from('x'));
  assert.deepEqual(
    { headers, id, key },
    {
      id: 't/2/7',
      key: 'a b',
      headers: {
        __key: 'a b',
        __offset: '7',
        __partition: '2',
        __timestamp: '1000',
        __topic: 't',
        of: "é (it's)",
      },
    },
  );
});

test('with escapeHeaders values are written as in a query', () => {
  const { __key, of } = messageOf(kafkaLayout({ escapeHeaders: true }), null).headers;
  assert.deepEqual([__key, of], ['a+b', '%C3%A9+%28it%27s%29']);
});

function recordOf({ body = 'x', headers = {}, key = undefined as string | undefined }) {
  return plain.recordOf({ id: 'i', topic: 't', key, body: Buffer.from(body), headers });
}

function messageOf(layout: typeof plain, value: Buffer | null) {
  return layout.messageOf({
    ...{ topic: 't', partition: 2, offset: 7n, timestamp: 1_000n, value },
    key: Buffer.from('a b'),
    headers: new Map([[Buffer.from('of'), Buffer.from("é (it's)")]]),
    leaderEpoch: 0,
  });
}
