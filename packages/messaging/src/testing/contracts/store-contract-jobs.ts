import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { MessageStatus } from '../../store.ts';
import { append, leasedIds, message } from './event-messages.ts';
import type { StoreUnderTest } from './store-contract.ts';

const ROOMY = { maxMessages: 1_000, maxBytes: 1_000_000 };

/** The part of the store contract that workers live on: leasing by topic, and taking messages back. */
export function jobsContract(open: (t: TestContext) => Promise<StoreUnderTest>): void {
  test('3: a lease may name topics, and takes of no other', async (t) => {
    const { store } = await open(t);
    await append(store, [
      message('a-1', { topic: 'a' }),
      message('b-1', { topic: 'b', priority: 9 }),
      message('c-1', { topic: 'c' }),
      message('a-2', { topic: 'a', key: 'k' }),
    ]);

    const picked = [
      await leasedIds(store, ['nobody']),
      await leasedIds(store, []),
      await leasedIds(store, ['a', 'c']),
      await leasedIds(store),
    ];

    assert.deepEqual(picked, [[], [], ['a-1', 'c-1', 'a-2'], ['b-1']]);
  });

  test('4: the order of a key is kept when topics are named', async (t) => {
    const { store } = await open(t);
    await append(store, [
      message('1', { topic: 'a', key: 'k' }),
      message('2', { topic: 'a', key: 'k' }),
    ]);

    const first = (await store.lease(1, 1_000, ['a'])).map((lease) => lease.message.id);

    assert.deepEqual([first, await leasedIds(store, ['a'])], [['1'], []]);
  });

  test('5: what is withdrawn is out of the queue, whether it waited, was leased or scheduled', async (t) => {
    const { store } = await open(t);
    await append(store, [message('leased'), message('waits'), message('stays')]);
    await append(store, [message('later', { delayMs: 60_000 })]);
    await store.lease(1, 1_000);

    const count = await store.withdraw(['leased', 'waits', 'later', 'waits', 'unknown']);
    const { queued, successful, dead } = await store.stats();

    assert.deepEqual(
      { count, queued, successful, dead },
      { count: 3, queued: 1, successful: 0, dead: 0 },
    );
    assert.deepEqual(await leasedIds(store), ['stays']);
    assert.equal((await store.find('later'))?.state, 'withdrawn');
    assert.equal(await store.withdraw(['leased']), 0, 'a second time it is not queued');
  });

  test('6: a lease on a withdrawn message has lapsed', async (t) => {
    const { store } = await open(t);
    await append(store, [message('a')]);
    const leases = await store.lease(1, 1_000);
    await store.withdraw(['a']);

    assert.deepEqual(
      [
        await store.renew(leases, 100),
        await store.release(leases, { delayMs: 0 }),
        await store.bury(leases, 'late'),
        await store.complete(leases),
      ],
      [0, 0, 0, 0],
    );
    assert.equal((await store.find('a'))?.state, 'withdrawn');
  });

  test('12: what is noted of a leased message is found until its lease ends, whichever way', async (t) => {
    const { store, elapse } = await open(t);
    const ends = ['completed', 'released', 'buried', 'withdrawn', 'lapsed'];
    await append(
      store,
      [...ends, 'waits'].map((id) => message(id)),
    );
    const leases = await store.lease(ends.length, 1_000);
    const [completed, released, buried, withdrawn] = leases;
    const found = () =>
      Promise.all([...ends, 'waits'].map(async (id) => told(await store.find(id))));

    const silent = await found();
    const noted = await store.note(
      leases.map((lease) => ({ lease, text: `${lease.message.id} ½` })),
    );
    const told1 = await found();
    await store.complete([completed!]);
    await store.release([released!], { delayMs: 0 });
    await store.bury([buried!], 'refused');
    await store.withdraw([withdrawn!.message.id]);
    await elapse(1_001);

    assert.deepEqual(silent, [...ends.map(() => 'leased'), 'free']);
    assert.equal(noted, ends.length);
    assert.deepEqual(told1, [...ends.map((id) => `leased: ${id} ½`), 'free']);
    assert.deepEqual(
      await found(),
      [...ends, 'waits'].map(() => 'free'),
    );
    assert.equal(await store.note(leases.map((lease) => ({ lease, text: 'late' }))), 0);
  });

  test('12: the next lease begins without a note, and one of the lease before changes nothing', async (t) => {
    const { store, elapse } = await open(t);
    await append(store, [message('a')]);
    const [first] = await store.lease(1, 1_000);
    await store.note([{ lease: first!, text: 'of the first' }]);
    await elapse(1_001);
    const [second] = await store.lease(1, 1_000);

    const before = told(await store.find('a'));
    const counts = [
      await store.note([
        { lease: second!, text: 'of the second' },
        { lease: first!, text: 'too late' },
      ]),
      await store.note([
        { lease: second!, text: 'earlier' },
        { lease: second!, text: 'last' },
      ]),
    ];

    assert.deepEqual(
      [before, counts, told(await store.find('a'))],
      ['leased', [1, 1], 'leased: last'],
    );
  });

  test('12: a renewed lease keeps its note, also for the next process', async (t) => {
    const { store, elapse, reopen } = await open(t);
    await append(store, [message('a')]);
    const leases = await store.lease(1, 1_000);
    await store.note([{ lease: leases[0]!, text: '1/2' }]);
    await elapse(900);
    await store.renew(leases, 1_000);
    await elapse(900);

    const next = (await reopen?.()) ?? store;

    assert.equal(told(await next.find('a')), 'leased: 1/2');
  });

  test('16: what is given with completing is found until its time is over, by the next process too, and without one nothing is', async (t) => {
    const { store, elapse, reopen } = await open(t);
    await append(store, [message('a'), message('b'), message('c')]);
    const [a, b, c] = await store.lease(3, 1_000);
    const before = (await store.find('a'))?.result;

    const done = await store.complete(
      [a!, b!, c!],
      [
        { lease: a!, text: 'of a: ✓', keptMs: 1_000 },
        { lease: c!, text: '', keptMs: 2_000 },
      ],
    );
    await elapse(999);
    const next = (await reopen?.()) ?? store;
    const results = async () =>
      Promise.all(['a', 'b', 'c'].map(async (id) => (await next.find(id))?.result));
    const first = await results();
    await elapse(1);

    assert.deepEqual([before, done, first], [undefined, 3, ['of a: ✓', undefined, '']]);
    assert.deepEqual(await results(), [undefined, undefined, '']);
  });

  test('16: nothing is kept of a lease that lapsed, nor of one that was given back before', async (t) => {
    const { store, elapse } = await open(t);
    await append(store, [message('a')]);
    const [late] = await store.lease(1, 100);
    await elapse(101);
    const [lease] = await store.lease(1, 1_000);

    const counts = [
      await store.complete([late!], [{ lease: late!, text: 'too late', keptMs: 1_000 }]),
      await store.complete([lease!], [{ lease: late!, text: 'too late', keptMs: 1_000 }]),
    ];

    assert.deepEqual([counts, (await store.find('a'))?.result], [[0, 1], undefined]);
  });

  test('2: a withdrawn id is known, also to the next process', async (t) => {
    const { store, reopen } = await open(t);
    await append(store, [message('a')]);
    await store.withdraw(['a']);

    const next = (await reopen?.()) ?? store;
    const again = await next.append([[message('a')]], ROOMY);

    assert.deepEqual(again, [{ kind: 'kept', duplicates: [true] }]);
    assert.equal((await next.stats()).queuedBytes, 0);
  });

  test('4: those behind a withdrawn message of their key go on', async (t) => {
    const { store } = await open(t);
    await append(store, [message('1', { key: 'k' }), message('2', { key: 'k' })]);
    await store.lease(1, 1_000);
    await store.withdraw(['1']);

    assert.deepEqual(await leasedIds(store), ['2']);
  });

  test('5: what was delivered or is dead cannot be withdrawn', async (t) => {
    const { store } = await open(t);
    await append(store, [message('delivered'), message('dead')]);
    const [delivered, dead] = await store.lease(2, 1_000);
    await store.complete([delivered!]);
    await store.bury([dead!], 'refused');

    assert.equal(await store.withdraw(['delivered', 'dead']), 0);
  });
}

function told(found: MessageStatus | undefined): string {
  const said = found?.progress === undefined ? '' : `: ${found.progress}`;
  return `${found?.leased ? 'leased' : 'free'}${said}`;
}
