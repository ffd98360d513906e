import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Replaces } from '../../message.ts';
import type { AppendMessage, MessageStore } from '../../store.ts';
import { append, leasedIds, message } from './event-messages.ts';
import type { StoreUnderTest } from './store-contract.ts';

const ROOMY = { maxMessages: 1_000, maxBytes: 1_000_000 };

/** The part of the store contract that is about messages that take the place of others. */
export function replacingContract(open: (t: TestContext) => Promise<StoreUnderTest>): void {
  test('15: of one topic and name the latest is handed over; the others are told to have been replaced, and their ids are known', async (t) => {
    const { store, reopen } = await open(t);
    await append(store, [named('a-1'), message('plain'), named('other', {}, { topic: 'other' })]);
    await append(store, [named('a-2'), named('b-1', { name: 'b' })]);
    await append(store, [named('a-3')]);

    const next = (await reopen?.()) ?? store;
    const again = await next.append([[named('a-1'), named('a-2')]], ROOMY);
    const { queued, successful, dead } = await next.stats();

    assert.deepEqual(await statesOf(next, ['a-1', 'a-2', 'a-3']), [
      'replaced',
      'replaced',
      'queued',
    ]);
    assert.deepEqual(again, [{ kind: 'kept', duplicates: [true, true] }]);
    assert.deepEqual({ queued, successful, dead }, { queued: 4, successful: 0, dead: 0 });
    assert.deepEqual(await leasedIds(next), ['a-3', 'plain', 'other', 'b-1']);
  });

  test('15: bytes of what was replaced no longer count, and of one call the last of a name waits', async (t) => {
    const { store } = await open(t);
    await append(store, [named('a'), named('b'), named('c'), message('d')]);

    const { queuedBytes } = await store.stats();
    await append(store, [named('e')]);

    assert.equal((await store.stats()).queuedBytes, queuedBytes);
    assert.deepEqual(await leasedIds(store), ['e', 'd']);
  });

  test('15: with a delay each one pushes it back; with due: "kept" it goes when the first was to', async (t) => {
    const { store, elapse } = await open(t);
    const push = { delayMs: 1_000 };
    await append(store, [named('a-1', {}, push), named('b-1', { name: 'b', due: 'kept' }, push)]);
    await elapse(600);
    await append(store, [named('a-2', {}, push), named('b-2', { name: 'b', due: 'kept' }, push)]);
    await elapse(399);
    const early = await leasedIds(store);
    await elapse(1);
    const kept = await leasedIds(store);
    await elapse(599);
    const pushed = [await leasedIds(store)];
    await elapse(1);
    pushed.push(await leasedIds(store));

    assert.deepEqual([early, kept, pushed], [[], ['b-2'], [[], ['a-2']]]);
  });

  test('15: it is pushed back no further than maxWaitMs after the first was accepted', async (t) => {
    const { store, elapse } = await open(t);
    const push = async (id: string) => {
      await append(store, [named(id, { maxWaitMs: 1_500 }, { delayMs: 1_000 })]);
      await elapse(600);
    };
    await push('a-1');
    await push('a-2');
    await push('a-3');
    const leases = await store.lease(10, 1_000);
    await store.complete(leases);
    const due = leases.map((lease) => lease.message.id);
    await push('a-4');
    await elapse(399);
    const early = await leasedIds(store);
    await elapse(1);

    assert.deepEqual([due, early], [['a-3'], []], 'what was handed over is another row of pushes');
    assert.deepEqual(await leasedIds(store), ['a-4']);
  });

  test('15: what is in the queue and is due at once keeps its place there, and its age', async (t) => {
    const { store, elapse } = await open(t);
    await append(store, [named('a-1'), message('b')]);
    await elapse(300);
    await append(store, [named('a-2', {}, { key: 'k' })]);

    const { oldestMs } = await store.stats();

    assert.ok(oldestMs >= 300, `${oldestMs}`);
    assert.deepEqual(await leasedIds(store), ['a-2', 'b']);
  });

  test('15: what is in hand goes on and is not replaced, and one of the same key waits for it; given back, or lapsed, it is', async (t) => {
    const { store, elapse } = await open(t);
    await append(store, [named('a-1', {}, { key: 'k' })]);
    const [first] = await store.lease(1, 1_000);
    await append(store, [named('a-2', {}, { key: 'k' })]);
    const whileInHand = [await statesOf(store, ['a-1', 'a-2']), await leasedIds(store)];
    const renewed = await store.renew([first!], 1_000);
    await store.release([first!], { delayMs: 60_000, error: 'failed' });
    await append(store, [named('a-3', {}, { key: 'k' })]);
    const [third] = await store.lease(1, 100);
    await elapse(101);
    await append(store, [named('a-4', {}, { key: 'k' })]);
    const late = await store.complete([third!]);

    assert.deepEqual(whileInHand, [['queued', 'queued'], []]);
    assert.deepEqual([renewed, third?.message.id, late], [1, 'a-3', 0]);
    assert.deepEqual(await statesOf(store, ['a-1', 'a-2', 'a-3']), [
      'replaced',
      'replaced',
      'replaced',
    ]);
    assert.deepEqual(await leasedIds(store), ['a-4']);
  });

  test('15: a lifetime begins when the message is due in the place of the other', async (t) => {
    const { store, elapse } = await open(t);
    await append(store, [named('a-1', {}, { delayMs: 1_000 })]);
    await append(store, [named('a-2', { due: 'kept' }, { lifetimeMs: 500 })]);
    await elapse(1_400);
    const [lease] = await store.lease(1, 10);
    await elapse(101);
    const [late] = await store.lease(1, 10);

    assert.deepEqual([lease?.expired, late?.expired], [false, true]);
  });

  test('15: a full queue refuses what replaces, too, and then nothing is replaced; what one call replaces makes room for the next', async (t) => {
    const { store } = await open(t);
    await append(store, [named('a-1'), message('b')]);
    const limits = { ...ROOMY, maxMessages: 3 };

    const results = await store.append([[named('a-2')], [named('a-3')], [message('c')]], limits);
    const full = await store.append([[named('a-4')]], limits);

    assert.deepEqual(
      results.map(({ kind }) => kind),
      ['kept', 'kept', 'kept'],
    );
    assert.deepEqual(
      full.map(({ kind }) => kind),
      ['full'],
    );
    assert.deepEqual(await leasedIds(store), ['a-3', 'b', 'c']);
  });

  test('15: who withdraws the last withdraws it alone, and a dead one is replaced once it is replayed', async (t) => {
    const { store } = await open(t);
    await append(store, [named('a-1')]);
    await append(store, [named('a-2')]);
    const withdrawn = await store.withdraw(['a-1', 'a-2']);
    await append(store, [named('dies')]);
    await store.bury(await store.lease(1, 1_000), 'refused');
    await append(store, [named('a-3')]);
    await store.replay(['dies']);
    await append(store, [named('a-4')]);

    assert.equal(withdrawn, 1);
    assert.deepEqual(await statesOf(store, ['a-2', 'dies', 'a-3']), [
      'withdrawn',
      'replaced',
      'replaced',
    ]);
    assert.deepEqual(await leasedIds(store), ['a-4']);
  });
}

/** A message under the name `a`, but for what is said of it. */
function named(
  id: string,
  replaces: Partial<Replaces> = {},
  more: Partial<AppendMessage> = {},
): AppendMessage {
  return message(id, { ...more, replaces: { name: 'a', ...replaces } });
}

async function statesOf(store: MessageStore, ids: readonly string[]) {
  const found = await Promise.all(ids.map((id) => store.find(id)));
  return found.map((each) => each?.state);
}
