import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { memoryPubSub } from './memory-pubsub.ts';

test('a subscription is handed one event after the other, and one that fails keeps no other back', async () => {
  const lost: string[] = [];
  const broker = memoryPubSub((topic, error) => {
    lost.push(`${topic}: ${(error as Error).message}`);
  });
  const handed: string[] = [];
  const first = Promise.withResolvers<void>();
  await broker.subscribe('t', async ({ data }) => {
    handed.push(String(data));
    if (handed.length === 1) await first.promise;
  });
  for (const text of ['a', 'b', 'c']) {
    await broker.publish('t', { data: Buffer.from(text), metadata: {} });
  }
  await setImmediate();
  const before = [...handed];
  first.reject(new Error('no'));
  await broker.drain();

  assert.deepEqual([before, handed, lost], [['a'], ['a', 'b', 'c'], ['t: no']]);
});

test('subscriptions do not wait for each other, and a star stands for all that begins so', async () => {
  const broker = memoryPubSub(() => {});
  const handed: string[] = [];
  const never = new Promise<void>(() => {});
  await broker.subscribe('orders', () => never);
  await broker.subscribe('or*', async ({ data }) => void handed.push(String(data)));
  for (const text of ['a', 'b']) {
    await broker.publish('orders', { data: Buffer.from(text), metadata: {} });
  }
  await setImmediate();
  assert.deepEqual(handed, ['a', 'b']);
});

test('who publishes faster than a subscription takes waits with it: what waited had no limit', async () => {
  const broker = memoryPubSub(() => {});
  const taken = Promise.withResolvers<void>();
  await broker.subscribe('t', () => taken.promise);
  const message = { data: Buffer.from('a'), metadata: {} };
  for (let n = 0; n < 1_000; n += 1) await broker.publish('t', message);
  let published = false;
  const ahead = broker.publish('t', message).then(() => {
    published = true;
  });
  await setImmediate();
  const before = published;
  taken.resolve();
  await ahead;

  assert.deepEqual([before, published], [false, true]);
});
