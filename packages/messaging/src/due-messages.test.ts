import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { memoryStore } from './memory-store.ts';
import type { NewMessage } from './message.ts';
import { openOutbox } from './outbox.ts';
import type { DeadLetterRetention } from './outbox-options.ts';
import { memoryBroker } from './testing/memory-broker.ts';

test('messages leave when they are due, and the urgent of them first', async (t) => {
  const { outbox, clock } = await opened(t);
  const arrived: string[] = [];
  const broker = memoryBroker();
  await broker.subscribe('events', { group: 'sink' }, async ({ id }) => {
    arrived.push(`${id} at ${clock.now()}`);
  });
  await outbox.accept([
    { ...message('by-date'), dueAt: new Date(clock.wallMs() + 2_000) },
    { ...message('by-delay'), delayMs: 3_600_000 },
    { ...message('past'), dueAt: new Date(0) },
    { ...message('plain') },
    { ...message('urgent'), priority: 9 },
  ]);

  outbox.relay(broker, { pollMs: 1_000, clock });
  await clock.advance(1_999);
  const early = arrived.splice(0);
  await clock.advance(3_600_000);

  assert.deepEqual(
    early.map((line) => line.split(' ')[0]),
    ['urgent', 'past', 'plain'],
  );
  assert.deepEqual(
    arrived.map((line) => line.split(' ')[0]),
    ['by-date', 'by-delay'],
  );
});

test('a due time or a priority that cannot be is refused, naming field, rule and value', async (t) => {
  const { outbox } = await opened(t);
  const refusals: readonly (readonly [Partial<NewMessage>, string])[] = [
    [{ delayMs: -1 }, 'message.delayMs must be a whole number from 0 to 316224000000, not -1.'],
    [
      { dueAt: new Date('2999-01-01') },
      'message.dueAt must be a Date up to 10 years ahead, not 2999-01-01T00:00:00.000Z.',
    ],
    [
      { dueAt: new Date('soon') },
      'message.dueAt must be a Date up to 10 years ahead, not Invalid Date.',
    ],
    [
      { dueAt: '2026-01-01' as unknown as Date },
      'message.dueAt must be a Date up to 10 years ahead, not 2026-01-01.',
    ],
    [
      { dueAt: new Date(0), delayMs: 1 },
      'message.dueAt and message.delayMs say the same thing: give one of them.',
    ],
    [
      { replaces: { name: '' } },
      'message.replaces.name must be text of 1 to 255 characters, not 0 characters.',
    ],
    [
      { replaces: { name: 'a', due: 'later' as 'kept' } },
      'message.replaces.due must be "anew" or "kept", not "later".',
    ],
    [
      { replaces: { name: 'a', maxWaitMs: 0 } },
      'message.replaces.maxWaitMs must be a whole number from 1 to 316224000000, not 0.',
    ],
    [{ priority: 10 }, 'message.priority must be a whole number from 0 to 9, not 10.'],
    [
      { priority: 1, key: 'k' },
      'message.priority cannot go with message.key: messages of one key arrive in the order accepted. Leave one of them out.',
    ],
  ];

  for (const [extra, words] of refusals) {
    await assert.rejects(outbox.accept([{ ...message('a'), ...extra }]), { message: words });
  }
  assert.equal((await outbox.stats()).queued, 0);
});

test('dead letters beyond what is to be kept are forgotten in time', async (t) => {
  const { outbox, store, clock } = await opened(t, {
    maxAgeMs: 100_000,
    maxCount: 600,
    sweepMs: 1_000,
  });
  const ids = Array.from({ length: 1_300 }, (_, n) => message(`m${n}`));
  await outbox.accept(ids);
  await store.bury(await store.lease(1_300, 1_000), 'refused');

  await clock.advance(1_100);
  const counted = (await outbox.stats()).dead;
  await clock.advance(100_000);

  assert.deepEqual([counted, (await outbox.stats()).dead], [600, 0]);
});

test('without retention dead letters stay', async (t) => {
  const { outbox, store, clock } = await opened(t);
  await outbox.accept([message('a')]);
  await store.bury(await store.lease(1, 1_000), 'refused');

  await clock.advance(86_400_000);

  assert.equal((await outbox.stats()).dead, 1);
  assert.equal(clock.pendingTimers, 0);
});

test('a retention that cannot work is refused', async () => {
  const store = memoryStore();
  await assert.rejects(openOutbox({ store, deadRetention: { maxAgeMs: 0 } }), {
    name: 'RangeError',
    message: 'outbox.deadRetention.maxAgeMs must be a whole number from 1 to 316224000000, not 0.',
  });
  await assert.rejects(openOutbox({ store, deadRetention: { maxCount: -1 } }), RangeError);
  await assert.rejects(openOutbox({ store, deadRetention: { sweepMs: 1 } }), RangeError);
});

async function opened(t: TestContext, deadRetention?: DeadLetterRetention) {
  const clock = new VirtualClock();
  const store = memoryStore({ clock });
  const outbox = await openOutbox({ store, clock, ...(deadRetention && { deadRetention }) });
  t.after(() => outbox.close());
  return { outbox, store, clock };
}

function message(id: string): NewMessage {
  return { id, topic: 'events', body: id };
}
