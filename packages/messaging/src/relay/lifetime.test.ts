import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { memoryStore } from '../memory-store.ts';
import { openOutbox } from '../outbox.ts';
import { memoryBroker } from '../testing/memory-broker.ts';
import type { RelayEvent } from './events.ts';

test('what outlived its lifetime in an outage of the broker is dead, and the rest is sent', async () => {
  const { clock, outbox, broker, events } = await opened();
  broker.become('down');
  await outbox.accept([
    ...['a', 'b', 'c'].map((id) => ({ id, topic: 't', body: '', lifetimeMs: 10_000 })),
    { id: 'for-ever', topic: 't', body: '' },
  ]);
  await clock.advance(60_000);
  broker.become('up');
  await clock.advance(10_000);
  const { dead, successful, queued } = await outbox.stats();

  assert.deepEqual({ dead, successful, queued }, { dead: 3, successful: 1, queued: 0 });
  assert.deepEqual(
    broker.published.map(({ id }) => id),
    ['for-ever'],
  );
  assert.deepEqual(
    new Set(events.filter(({ type }) => type === 'died').map((event) => 'id' in event && event.id)),
    new Set(['a', 'b', 'c']),
  );
  await clock.run(() => outbox.close());
});

test('a relay leaves a topic that is paused where it is, and takes the others', async () => {
  const { clock, outbox, broker } = await opened();
  await outbox.pause({ topic: 't' });
  await outbox.accept([
    { id: 'paused', topic: 't', body: '' },
    { id: 'goes', topic: 'other', body: '' },
  ]);
  await clock.advance(60_000);
  const before = broker.published.map(({ id }) => id);
  await outbox.resume({ topic: 't' });
  await clock.advance(1);

  assert.deepEqual([before, broker.published.map(({ id }) => id)], [['goes'], ['goes', 'paused']]);
  await clock.run(() => outbox.close());
});

async function opened() {
  const clock = new VirtualClock();
  const outbox = await openOutbox({ store: memoryStore({ clock }), clock });
  const broker = memoryBroker({ clock });
  const events: RelayEvent[] = [];
  outbox.relay(broker, { clock, onEvent: (event) => events.push(event) });
  return { clock, outbox, broker, events };
}
