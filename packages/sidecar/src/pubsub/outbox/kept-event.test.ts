import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import type { OutgoingMessage } from '@holdfast/messaging';
import type { PubSub, PubSubMessage } from '../pubsub.ts';
import { handOver } from './hand-over.ts';
import { keptEvent, keptHeaders } from './kept-event.ts';

const DATA = Buffer.from('x');

test('an event is handed over with its type, and without what was kept beside its metadata', () => {
  const metadata = { partitionKey: 'k' };
  const headers = keptHeaders({ data: DATA, metadata, contentType: 'image/png' }, true, 0);
  assert.deepEqual(keptEvent(message(headers), 1_000), {
    id: 'one',
    data: DATA,
    metadata,
    contentType: 'image/png',
  });
  assert.equal(keptHeaders({ data: DATA, metadata }, true, 0), metadata);
});

test('its time counts from the publication where the broker lets messages expire, and is the broker’s to count where not', () => {
  const left = (metadata: Record<string, string>, brokerExpires: boolean, waitedMs: number) =>
    keptEvent(
      message(keptHeaders({ data: DATA, metadata }, brokerExpires, 5_000)),
      5_000 + waitedMs,
    )?.metadata;
  assert.deepEqual(
    [
      left({ ttlInSeconds: '10', a: 'b' }, true, 1_500),
      left({ TTL: '1m' }, true, 0),
      left({ ttlInSeconds: '10' }, true, 10_000),
      left({ ttlInSeconds: '10' }, false, 10_000),
      left({ ttlInSeconds: '0' }, true, 10_000),
      left({ ttlInSeconds: 'soon' }, true, 10_000),
    ],
    [
      { ttlInSeconds: '9', a: 'b' },
      { TTL: '60' },
      undefined,
      { ttlInSeconds: '10' },
      { ttlInSeconds: '0' },
      { ttlInSeconds: 'soon' },
    ],
  );
});

test('what has expired while it waited is done with, and the others of its batch are handed over', async () => {
  const clock = new VirtualClock();
  const given: string[] = [];
  const broker: PubSub = {
    capabilities: ['MESSAGE_TTL'],
    async publish(_topic, { id }: PubSubMessage) {
      given.push(id ?? '');
    },
    subscribe: async () => ({ close: async () => {} }),
    async drain() {},
    async close() {},
  };
  const expiring = (seconds: string) =>
    keptHeaders({ data: DATA, metadata: { ttlInSeconds: seconds } }, true, clock.wallMs());
  const batch = [
    { ...message(expiring('1')), id: 'over' },
    { ...message(expiring('60')), id: 'good' },
  ];
  await clock.advance(2_000);
  await handOver(broker, (work) => work(), clock).publish(batch);
  await handOver(broker, (work) => work(), clock).publish(batch.slice(0, 1));
  assert.deepEqual(given, ['good']);
});

const message = (headers: Readonly<Record<string, string>>): OutgoingMessage => ({
  id: 'one',
  topic: 't',
  key: undefined,
  body: DATA,
  headers,
});
