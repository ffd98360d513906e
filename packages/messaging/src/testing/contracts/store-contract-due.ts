import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { AppendMessage, MessageStore } from '../../store.ts';
import type { StoreUnderTest } from './store-contract.ts';

const ROOMY = { maxMessages: 100_000, maxBytes: 10_000_000 };
const YEAR_MS = 365 * 86_400_000;

/** The part of the store contract that is about due times, priorities, holds and the age of the dead. */
export function dueContract(open: (t: TestContext) => Promise<StoreUnderTest>): void {
  test('10: a message with a delay is leased when it is over, and not before', async (t) => {
    const { store, elapse } = await open(t);
    await append(store, [message('later', { delayMs: 1_000 }), message('now')]);

    const first = await leasedIds(store);
    await elapse(999);
    const early = await leasedIds(store);
    await elapse(1);

    assert.deepEqual([first, early, await leasedIds(store)], [['now'], [], ['later']]);
  });

  test('10: a delay may be three years, and survives the process', async (t) => {
    const { store, elapse, reopen } = await open(t);
    await append(store, [message('later', { delayMs: 3 * YEAR_MS })]);

    await elapse(3 * YEAR_MS - 1);
    const early = await leasedIds(store);
    const next = (await reopen?.()) ?? store;
    await elapse(1);

    assert.deepEqual([early, await leasedIds(next)], [[], ['later']]);
  });

  test('10: what is scheduled counts as queued, can be found and listed, and has no age before it is due', async (t) => {
    const { store, elapse } = await open(t);
    await append(store, [message('later', { delayMs: 1_000 })]);

    await elapse(900);
    const { queued, oldestMs } = await store.stats();
    const listed = (await store.listQueued({ limit: 10 })).messages.map(({ id }) => id);
    const found = await store.find('later');
    await elapse(350);

    assert.deepEqual(
      { queued, oldestMs, listed, state: found?.state, aged: (await store.stats()).oldestMs },
      { queued: 1, oldestMs: 0, listed: ['later'], state: 'queued', aged: 250 },
    );
    await leasedIds(store);
    assert.equal((await store.stats()).oldestMs, 250, 'in the queue it keeps its age');
  });

  test('10: a scheduled id is known, and takes room in a full queue', async (t) => {
    const { store } = await open(t);
    await append(store, [message('later', { delayMs: 1_000 })]);
    const limits = { ...ROOMY, maxMessages: 1 };

    const results = await store.append([[message('later')], [message('other')]], limits);

    assert.deepEqual(
      results.map((each) => (each.kind === 'kept' ? each.duplicates : each.kind)),
      [[true], 'full'],
    );
  });

  test('10: those of one key do not wait for one that is not due, which comes behind them', async (t) => {
    const { store, elapse } = await open(t);
    await append(store, [
      message('k-later', { key: 'k', delayMs: 500 }),
      message('k-1', { key: 'k' }),
      message('k-2', { key: 'k' }),
    ]);

    const [held] = await store.lease(1, 60_000);
    await elapse(501);
    const blocked = await leasedIds(store);
    await store.release([held!], { delayMs: 0 });
    await elapse(1);

    assert.deepEqual([held?.message.id, blocked], ['k-1', []]);
    assert.deepEqual(await leasedIds(store), ['k-1', 'k-2', 'k-later']);
  });

  test('10: of those due at once the urgent go first, then the longest due', async (t) => {
    const { store, elapse } = await open(t);
    await append(store, [
      message('plain-1'),
      message('low', { priority: 1 }),
      message('high-1', { priority: 9 }),
      message('high-later', { priority: 9, delayMs: 200 }),
      message('high-2', { priority: 9 }),
      message('late', { delayMs: 100 }),
    ]);

    const first = await leasedIds(store, 4);
    await elapse(201);

    assert.deepEqual(
      [first, await leasedIds(store)],
      [
        ['high-1', 'high-2', 'low', 'plain-1'],
        ['high-later', 'late'],
      ],
    );
  });

  test('10: a priority never breaks the order of a key', async (t) => {
    const { store } = await open(t);
    await append(store, [message('k-1', { key: 'k' }), message('k-2', { key: 'k', priority: 9 })]);

    assert.deepEqual(await leasedIds(store), ['k-1', 'k-2']);
  });

  test('10: a priority survives a lease that lapsed, death and replay', async (t) => {
    const { store, elapse } = await open(t);
    await append(store, [message('urgent', { priority: 5 })]);
    await store.lease(1, 100);
    await elapse(101);
    await store.bury(await store.lease(1, 100), 'refused');
    await append(store, [message('plain')]);
    await store.replay(['urgent']);

    assert.deepEqual(await leasedIds(store), ['urgent', 'plain']);
  });

  test('5: a lease of more than ten minutes is refused, and a wait of more than 24.8 days', async (t) => {
    const { store } = await open(t);
    await append(store, [message('a')]);
    const leases = await store.lease(1, 600_000);
    const refusal = (option: string, most = 600_000) => ({
      name: 'RangeError',
      message: `${option} must be a whole number from 0 to ${most}, not ${most + 1}.`,
    });
    const longestMs = 2 ** 31 - 1;

    await assert.rejects(store.lease(1, 600_001), refusal('leaseMs'));
    await assert.rejects(store.renew(leases, 600_001), refusal('leaseMs'));
    await assert.rejects(
      store.release(leases, { delayMs: longestMs + 1 }),
      refusal('delayMs', longestMs),
    );
    assert.equal(await store.complete(leases), 1);
  });

  test('11: what is given twice in one call counts once', async (t) => {
    const { store, elapse } = await open(t);
    await append(
      store,
      ['a', 'b', 'c'].map((id) => message(id)),
    );
    const [a, b, c] = await store.lease(3, 1_000);
    const twice = <T>(one: T | undefined): T[] => [one!, one!];

    const counts = {
      complete: await store.complete(twice(a)),
      bury: await store.bury(twice(b), 'refused'),
      renew: await store.renew(twice(c), 1_000),
      release: await store.release(twice(c), { delayMs: 0, attempted: false }),
      replay: await store.replay(['b', 'b']),
    };
    await elapse(1);
    const leases = await store.lease(2, 1_000);
    await store.bury(leases, 'refused');
    const { queued, successful, dead } = await store.stats();

    assert.deepEqual(counts, { complete: 1, bury: 1, renew: 1, release: 1, replay: 1 });
    assert.deepEqual(
      leases.map(({ message: { id }, delivery }) => [id, delivery]),
      [
        ['c', 1],
        ['b', 1],
      ],
    );
    assert.deepEqual({ queued, successful, dead }, { queued: 0, successful: 1, dead: 2 });
    assert.equal(await store.discard(['b', 'b']), 1);
  });

  test('8: dead letters beyond an age or a number are forgotten, the longest dead first, in lots', async (t) => {
    const { store, elapse } = await open(t);
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    await append(
      store,
      ids.map((id) => message(id)),
    );
    const leases = await store.lease(10, 60_000);
    // They die in another order than they came.
    for (const lease of leases.toReversed()) {
      await store.bury([lease], 'refused');
      await elapse(100);
    }
    const left = async () => {
      const { letters } = await store.listDead({ limit: 10 });
      return letters.map(({ message: { id } }) => id).join('');
    };

    assert.deepEqual(
      [await store.purgeDead({}, 10), await store.purgeDead({ maxAgeMs: 600, maxCount: 6 }, 10)],
      [0, 0],
    );
    assert.deepEqual([await store.purgeDead({ maxAgeMs: 450 }, 10), await left()], [2, 'abcd']);
    assert.deepEqual([await store.purgeDead({ maxCount: 1 }, 2), await left()], [2, 'ab']);
    assert.deepEqual([await store.purgeDead({ maxCount: 1 }, 2), await left()], [1, 'a']);
    assert.equal((await store.stats()).dead, 1);
    assert.deepEqual([await store.purgeDead({ maxCount: 0 }, 2), await left()], [1, '']);
    assert.equal(await store.find('a'), undefined);
  });
}

function message(id: string, extra: Partial<AppendMessage> = {}): AppendMessage {
  return { id, topic: 'events', key: undefined, body: Buffer.from(id), headers: {}, ...extra };
}

async function append(store: MessageStore, messages: readonly AppendMessage[]): Promise<void> {
  await store.append([messages], ROOMY);
}

async function leasedIds(store: MessageStore, limit = 10): Promise<readonly string[]> {
  return (await store.lease(limit, 60_000)).map(({ message: { id } }) => id);
}
