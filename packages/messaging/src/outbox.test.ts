import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { memoryStore } from './memory-store.ts';
import { type Outbox, openOutbox } from './outbox.ts';
import { sqliteStore } from './sqlite/index.ts';
import type { AppendGroup, MessageStore } from './store.ts';
import { memoryBroker } from './testing/memory-broker.ts';
import { tempDir } from './testing/temp-dir.ts';

describe('openOutbox', () => {
  test('all that is accepted in one turn of the event loop is one transaction', async () => {
    const groups: number[] = [];
    const outbox = await openOutbox({ store: counting(memoryStore(), groups) });

    await Promise.all(Array.from({ length: 1_000 }, () => outbox.accept([event])));
    await outbox.accept([event]);

    assert.deepEqual(groups, [1_000, 1]);
  });

  test('a message that nobody named gets an id, one that was named keeps it, and is accepted once', async () => {
    const outbox = await openOutbox({ store: memoryStore() });

    const [unnamed] = await outbox.accept([event]);
    const first = await outbox.accept([{ ...event, id: 'order-1' }]);
    const again = await outbox.accept([{ ...event, id: 'order-1', body: 'changed' }]);

    assert.match(
      unnamed?.id ?? '',
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/,
    );
    assert.deepEqual(
      [first, again],
      [[{ id: 'order-1', duplicate: false }], [{ id: 'order-1', duplicate: true }]],
    );
    assert.equal((await outbox.stats()).queued, 2);
  });

  test('a full outbox refuses the call that does not fit, whole, and says when to come back', async () => {
    const outbox = await openOutbox({ store: memoryStore(), limits: { maxMessages: 2 } });
    await outbox.accept([event]);

    await assert.rejects(outbox.accept([event, event]), {
      name: 'OutboxRefusedError',
      code: 'OUTBOX_FULL',
      retryAfterMs: 1_000,
      message:
        'The outbox is full: 1 messages and 11 bytes wait, of at most 2 and 1073741824. It empties when the broker takes messages again.',
    });
    await outbox.accept([event]);

    assert.equal((await outbox.stats()).queued, 2);
  });

  test('a body over the limit is refused with its size, and nothing of its call is kept', async () => {
    const outbox = await openOutbox({ store: memoryStore(), limits: { maxBodyBytes: 4 } });

    await assert.rejects(
      outbox.accept([
        { ...event, body: 'four' },
        { ...event, body: 'fives' },
      ]),
      {
        code: 'MESSAGE_TOO_LARGE',
        retryAfterMs: undefined,
        message: 'The body of a message for "events" has 5 bytes, of at most 4.',
      },
    );
    assert.equal((await outbox.stats()).queued, 0);
  });

  test('a message that cannot be sent is its author’s mistake, named', async () => {
    const outbox = await openOutbox({ store: memoryStore() });
    const accept = (message: unknown) =>
      outbox
        .accept([message as typeof event])
        .catch((error: Error) => `${error.name}: ${error.message}`);

    assert.deepEqual(
      await Promise.all([
        accept({ topic: '', body: 'x' }),
        accept({ topic: 'events', body: { an: 'object' } }),
        accept({ topic: 'events', body: 'x', key: 'k'.repeat(256) }),
        accept({ topic: 'events', body: 'x', headers: { n: 1 } }),
        accept({ topic: 'events', body: 'x', id: 'a\0' }),
        accept({ topic: 'events', body: 'x', key: '\ud800' }),
        accept({ topic: 'events', body: 'x', headers: { 'holdfast-sealed': '1 k 0' } }),
      ]),
      [
        'TypeError: message.topic must be text of 1 to 255 characters, not 0 characters.',
        'TypeError: message.body must be a string or a Uint8Array, not object. Serialise it first.',
        'TypeError: message.key must be text of 1 to 255 characters, not 256 characters.',
        'TypeError: message.headers["n"] must be text, not a number.',
        'TypeError: message.id must not hold U+0000 or half a surrogate pair: not every store and broker can keep it.',
        'TypeError: message.key must not hold U+0000 or half a surrogate pair: not every store and broker can keep it.',
        'TypeError: message.headers["holdfast-sealed"] is Holdfast\'s own, and says that a body is encrypted: leave it out.',
      ],
    );
  });

  test('a closed outbox has answered what came before and refuses what comes after', async () => {
    const outbox = await openOutbox({ store: memoryStore() });
    const before = outbox.accept([event]);
    const closed = outbox.close();

    await assert.rejects(outbox.accept([event]), { code: 'OUTBOX_CLOSED' });
    await closed;
    assert.equal((await before).length, 1);
  });

  test('the count of delivered messages survives a restart, and so does what waits', async (t) => {
    const path = join(await tempDir(t), 'outbox.db');
    const first = await openOutbox({ store: sqliteStore({ path }) });
    await first.accept([event, event]);
    await drain(t, first);
    await first.accept([event]);
    await first.close();

    const second = await openOutbox({ store: sqliteStore({ path }) });
    t.after(() => second.close());
    const { queued, successful, dead } = await second.stats();

    assert.deepEqual({ queued, successful, dead }, { queued: 1, successful: 2, dead: 0 });
  });

  test('limits that cannot work are refused, naming the culprit', async () => {
    await assert.rejects(openOutbox({ store: memoryStore(), limits: { maxMessages: 0 } }), {
      name: 'RangeError',
      message:
        'outbox.limits.maxMessages must be a whole number from 1 to 9007199254740991, not 0.',
    });
  });
});

describe('dead letters', () => {
  test('a refused message is listed with its reason, replayed to its topic, and delivered with its old id', async () => {
    const clock = new VirtualClock();
    const broker = memoryBroker({ clock });
    broker.refuseIf(({ headers }) => (headers.size === 'huge' ? 'too large' : undefined));
    const outbox = await openOutbox({ store: memoryStore({ clock }), clock });
    await outbox.accept([
      { ...event, id: 'a', headers: { size: 'huge' } },
      { ...event, id: 'b' },
    ]);

    await clock.run(async () => {
      const relay = outbox.relay(broker);
      await clock.sleep(1_000);
      const { letters } = await outbox.dead.list();
      assert.deepEqual(
        letters.map(({ message, reason }) => [message.id, reason]),
        [['a', 'too large']],
      );

      broker.refuseIf(() => undefined);
      assert.equal(await outbox.dead.replay(['a']), 1);
      await clock.sleep(10);
      await relay.stop();
    });

    assert.deepEqual(
      broker.published.map(({ id }) => id),
      ['b', 'a'],
    );
    assert.deepEqual((await outbox.find('a'))?.state, 'delivered');
  });

  test('a page of none or of too many is refused', async () => {
    const outbox = await openOutbox({ store: memoryStore() });
    await assert.rejects(outbox.dead.list({ limit: 0 }), RangeError);
  });
});

const event = { topic: 'events', body: 'hello' };

/** A store that also notes how many groups each append had. */
function counting(store: MessageStore, groups: number[]): MessageStore {
  return {
    ...store,
    append(all: readonly AppendGroup[], limits) {
      groups.push(all.length);
      return store.append(all, limits);
    },
  };
}

async function drain(t: TestContext, outbox: Outbox): Promise<void> {
  const broker = memoryBroker();
  t.after(() => broker.close());
  const relay = outbox.relay(broker);
  while ((await outbox.stats()).queued > 0) await new Promise((resolve) => setImmediate(resolve));
  await relay.stop();
}
