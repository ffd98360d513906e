import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { MessageStore } from '../../store.ts';
import { append, leasedIds, message } from './event-messages.ts';
import type { StoreUnderTest } from './store-contract.ts';

const DAY_MS = 86_400_000;

/** The part of the store contract that is about topics on pause, lifetimes, and waits longer than any lease. */
export function pausesContract(open: (t: TestContext) => Promise<StoreUnderTest>): void {
  test('13: of a paused topic nothing is leased, named or not, urgent, scheduled or in order; others pass', async (t) => {
    const { store, elapse } = await open(t);
    await append(store, [
      message('a-1', { topic: 'a' }),
      message('a-urgent', { topic: 'a', priority: 9 }),
      message('a-key', { topic: 'a', key: 'k' }),
      message('a-later', { topic: 'a', delayMs: 100 }),
      message('b-1', { topic: 'b' }),
    ]);
    const changes = [await store.pause('a'), await store.pause('a'), await store.pause('none')];
    await elapse(200);

    const named = await leasedIds(store, ['a']);
    const others = await leasedIds(store, ['a', 'b']);
    await append(store, [message('b-2', { topic: 'b' })]);
    const all = await leasedIds(store);
    const resumed = [await store.resume('a'), await store.resume('a')];

    assert.deepEqual(changes, [true, false, true]);
    assert.deepEqual([named, others, all], [[], ['b-1'], ['b-2']]);
    assert.deepEqual(resumed, [true, false]);
    assert.deepEqual(await leasedIds(store), ['a-urgent', 'a-1', 'a-key', 'a-later']);
  });

  test('13: a pause is told of since it began, and is there for the next process', async (t) => {
    const { store, elapse, reopen } = await open(t);
    await append(store, [message('a')]);
    await store.pause('events');
    await store.pause('a');
    await elapse(300);
    await store.pause('events');

    const next = (await reopen?.()) ?? store;
    const { paused, queued } = await next.stats();

    assert.deepEqual(
      paused.map(({ topic }) => topic),
      ['a', 'events'],
    );
    assert.ok(
      paused.every(({ forMs }) => forMs >= 300 && forMs < 60_000),
      JSON.stringify(paused),
    );
    assert.deepEqual([queued, await leasedIds(next)], [1, []]);
    await next.resume('events');
    assert.deepEqual(await leasedIds(next), ['a']);
  });

  test('13: a pause may end by itself; who pauses again says its end anew, and it has gone on for as long as ever', async (t) => {
    const { store, elapse, reopen } = await open(t);
    await append(store, [message('a')]);
    const begun = [await store.pause('events', 1_000), await store.pause('none', 500)];
    await elapse(600);
    const [first, ...rest] = (await store.stats()).paused;
    begun.push(await store.pause('events', 1_000));
    await elapse(600);
    const next = (await reopen?.()) ?? store;
    const held = await leasedIds(next);
    const { paused } = await next.stats();
    await elapse(400);
    const ids = await leasedIds(next);
    begun.push(await next.resume('events'), await next.pause('events'));

    assert.deepEqual(begun, [true, true, false, false, true]);
    assert.deepEqual([first?.topic, rest, held, ids], ['events', [], [], ['a']]);
    assert.ok(first!.endsInMs! > 0 && first!.endsInMs! <= 400, `${first?.endsInMs}`);
    assert.ok(paused[0]!.forMs >= 1_200, `${paused[0]?.forMs}`);
    const [now] = (await next.stats()).paused;
    assert.ok(now!.forMs < 400, 'this one is new');
    assert.equal(now?.endsInMs, undefined);
  });

  test('13: beside a topic on pause the others go in their order, those that become due now among them', async (t) => {
    const { store, elapse } = await open(t);
    await store.pause('a');
    await append(store, [
      message('d-1', { topic: 'd' }),
      message('a-1', { topic: 'a' }),
      message('c-later', { topic: 'c', delayMs: 100 }),
      message('b-1', { topic: 'b' }),
      message('d-2', { topic: 'd' }),
      message('b-urgent', { topic: 'b', priority: 1 }),
    ]);
    await elapse(100);

    assert.deepEqual(await leasedIds(store), ['b-urgent', 'd-1', 'b-1', 'd-2', 'c-later']);
  });

  test('13: what was leased before the pause is renewed and ends as ever', async (t) => {
    const { store } = await open(t);
    await append(store, [message('done'), message('again')]);
    const [done, again] = await store.lease(2, 1_000);
    await store.pause('events');

    const counts = [
      await store.renew([done!, again!], 1_000),
      await store.complete([done!]),
      await store.release([again!], { delayMs: 0 }),
    ];

    assert.deepEqual([counts, await leasedIds(store)], [[2, 1, 1], []]);
  });

  test('14: a lease tells that a lifetime is over, which begins when the message is due', async (t) => {
    const { store, elapse, reopen } = await open(t);
    await append(store, [
      message('short', { lifetimeMs: 1_000 }),
      message('later', { delayMs: 500, lifetimeMs: 1_000 }),
      message('for-ever'),
    ]);
    await elapse(999);
    const early = await expiredOf(store, 100);
    await elapse(101);
    const next = (await reopen?.()) ?? store;
    const late = await expiredOf(next, 100);
    await elapse(600);

    assert.deepEqual(early, { short: false, 'for-ever': false, later: false });
    assert.deepEqual(late, { short: true, 'for-ever': false, later: false });
    assert.deepEqual(await expiredOf(next, 100), { short: true, 'for-ever': false, later: true });
  });

  test('14: who replays a message that came too late wants it all the same', async (t) => {
    const { store, elapse } = await open(t);
    await append(store, [message('a', { lifetimeMs: 100 })]);
    await elapse(101);
    await store.bury(await store.lease(1, 1_000), 'expired');
    await store.replay(['a']);

    assert.deepEqual(await expiredOf(store, 1_000), { a: false });
  });

  test('6: a message that is given back may wait for days, and those of its key with it', async (t) => {
    const { store, elapse, reopen } = await open(t);
    await append(store, [
      message('k-1', { key: 'k' }),
      message('k-2', { key: 'k' }),
      message('plain'),
    ]);
    const leases = await store.lease(3, 1_000);
    await store.release(leases.slice(1), { delayMs: 0 });
    await store.release(leases.slice(0, 1), { delayMs: 3 * DAY_MS });
    await store.release(await store.lease(1, 1_000), { delayMs: 2 ** 31 - 1 });

    await elapse(3 * DAY_MS - 1);
    const next = (await reopen?.()) ?? store;
    const early = await leasedIds(next);
    const named = await leasedIds(next, ['events']);
    await elapse(1);
    const due = await leasedIds(next, ['events']);
    await elapse(2 ** 31 - 1 - 3 * DAY_MS);

    assert.deepEqual([early, named, due], [[], [], ['k-1', 'k-2']]);
    assert.deepEqual(await leasedIds(next), ['k-1', 'k-2', 'plain']);
  });
}

async function expiredOf(store: MessageStore, leaseMs: number) {
  const leases = await store.lease(10, leaseMs);
  return Object.fromEntries(leases.map(({ message: { id }, expired }) => [id, expired]));
}
