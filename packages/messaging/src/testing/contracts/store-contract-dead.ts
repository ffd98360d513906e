import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Message } from '../../message.ts';
import type { DeadLetter, MessageStore } from '../../store.ts';
import type { StoreUnderTest } from './store-contract.ts';

const ROOMY = { maxMessages: 100_000, maxBytes: 10_000_000 };

/** The part of the store contract that is about looking at dead letters, changing and moving them. */
export function deadContract(open: (t: TestContext) => Promise<StoreUnderTest>): void {
  test('8: a dead letter is found by its id, and nothing else is', async (t) => {
    const { store, elapse } = await open(t);
    await bury(store, ['a', 'b']);
    await store.append([[message('queued')]], ROOMY);
    await elapse(40);

    const found = await store.findDead('b');

    assert.deepEqual([found?.message.id, found?.deadForMs], ['b', 40]);
    assert.deepEqual(
      [await store.findDead('queued'), await store.findDead('never')],
      [undefined, undefined],
    );
  });

  test('8: an edited letter is sent as it was edited, and its history says so', async (t) => {
    const { store } = await open(t);
    await bury(store, ['a']);
    await store.append([[message('queued')]], ROOMY);
    const edited = {
      ...message('a'),
      topic: 'other',
      body: Buffer.from('better'),
      headers: { x: 'ü' },
    };

    const done = [
      await store.amendDead(edited, 'body had 1 bytes'),
      await store.amendDead(message('queued'), ''),
    ];
    const history = (await store.findDead('a'))?.history.map(({ what, detail }) => [what, detail]);
    await store.replay(['a']);
    const leases = await store.lease(10, 1_000);
    await store.complete(leases);

    assert.deepEqual(done, [true, false]);
    assert.deepEqual(history, [
      ['died', 'refused'],
      ['edited', 'body had 1 bytes'],
    ]);
    const { topic, body, headers } = leases[1]!.message;
    assert.deepEqual(
      [topic, Buffer.from(body).toString(), headers],
      ['other', 'better', { x: 'ü' }],
    );
    assert.equal((await store.stats()).queuedBytes, 0, 'what went in goes out');
  });

  test('4: an urgent letter that is edited to have a key no longer comes before those of its order', async (t) => {
    const { store } = await open(t);
    await store.append([[{ ...message('a'), priority: 9 }]], ROOMY);
    await store.bury(await store.lease(1, 1_000), 'refused');
    await store.append([[{ ...message('first'), key: 'k' }]], ROOMY);

    await store.amendDead({ ...message('a'), key: 'k' }, 'got a key');
    await store.replay(['a']);
    const leases = await store.lease(10, 1_000);

    assert.deepEqual(
      leases.map(({ message: { id } }) => id),
      ['first', 'a'],
    );
  });

  test('8: letters that died elsewhere are added with all they had; known ids are left out', async (t) => {
    const { store } = await open(t);
    await store.append([[message('queued')]], ROOMY);
    const letter = (id: string): DeadLetter => ({
      message: { ...message(id), key: 'k', headers: { trace: '1' } },
      reason: 'refused\nelsewhere',
      deliveries: 3,
      replays: 1,
      deadForMs: 5_000,
      history: [{ at: '2026-01-01T00:00:00.000Z', what: 'died', detail: 'refused' }],
    });

    const added = await store.addDead(['a', 'queued', 'b', 'a'].map(letter));
    const { letters } = await store.listDead({ limit: 10 });

    assert.equal(added, 2);
    assert.deepEqual(letters.map(plain), [plain(letter('a')), plain(letter('b'))]);
    assert.equal((await store.stats()).dead, 2);
    assert.equal(await store.replay(['a', 'b']), 2);
    const leased = (await store.lease(10, 1_000)).map(({ message: { id }, delivery }) => [
      id,
      delivery,
    ]);
    assert.deepEqual(leased, [
      ['queued', 1],
      ['a', 1],
      ['b', 1],
    ]);
  });

  test('8: a history with what only some stores can keep is kept as far as it can be', async (t) => {
    const { store } = await open(t);
    const at = '2026-01-01T00:00:00.000Z';
    const detail = 'half a pair \ud83d, a zero \0, and ✓';
    const letter: DeadLetter = {
      ...{ message: message('a'), reason: detail, deliveries: 1, replays: 0, deadForMs: 0 },
      history: [{ at, what: 'failed', detail }],
    };

    const added = await store.addDead([letter]);
    const found = await store.findDead('a');

    assert.equal(added, 1);
    assert.match(found?.history[0]?.detail ?? '', /^half a pair ., a zero .?, and ✓$/);
  });

  test('2, 8: what was delivered from here and died elsewhere is dead in its place where that is asked, and nothing else is', async (t) => {
    const { store } = await open(t);
    await store.append([[message('gone'), message('kept')]], ROOMY);
    await store.complete(await store.lease(2, 1_000));
    await bury(store, ['dead']);
    await store.append([[message('queued')]], ROOMY);
    const letters = ['gone', 'queued', 'dead', 'new'].map((id) => ({
      ...{ message: message(id), reason: 'no good', deliveries: 5, replays: 0, deadForMs: 0 },
      history: [],
    }));

    const added = [
      await store.addDead(letters.slice(0, 1)),
      await store.addDead(letters, { inPlaceOfDelivered: true }),
      await store.addDead(letters, { inPlaceOfDelivered: true }),
    ];
    const { queued, successful, dead } = await store.stats();
    const replayed = await store.replay(['gone', 'kept', 'new']);
    const again = await store.append([[message('gone'), message('kept')]], ROOMY);
    const leased = (await store.lease(10, 1_000)).map(({ message: { id } }) => id);

    assert.deepEqual(added, [0, 2, 0]);
    assert.deepEqual({ queued, successful, dead }, { queued: 1, successful: 2, dead: 3 });
    assert.equal(replayed, 2);
    assert.deepEqual(again, [{ kind: 'kept', duplicates: [true, true] }]);
    assert.deepEqual(leased, ['queued', 'gone', 'new']);
  });
}

function message(id: string): Message {
  return { id, topic: 'events', key: undefined, body: Buffer.from(id), headers: {} };
}

async function bury(store: MessageStore, ids: readonly string[]): Promise<void> {
  await store.append([ids.map(message)], ROOMY);
  await store.bury(await store.lease(ids.length, 1_000), 'refused');
}

function plain({ message: { body, ...rest }, ...letter }: DeadLetter) {
  return { ...rest, body: Buffer.from(body).toString(), ...letter };
}
