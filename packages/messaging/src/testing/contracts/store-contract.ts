import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { StoreUnavailableError } from '../../errors.ts';
import type { Message } from '../../message.ts';
import type { AppendResult, MessageStore } from '../../store.ts';
import { deadContract } from './store-contract-dead.ts';
import { dueContract } from './store-contract-due.ts';
import { jobsContract } from './store-contract-jobs.ts';
import { pausesContract } from './store-contract-pauses.ts';
import { replacingContract } from './store-contract-replacing.ts';

/** What an adapter supplies to be put to the test. */
export interface StoreUnderTest {
  readonly store: MessageStore;
  /** Lets this much of the store's own time pass. */
  elapse(ms: number): Promise<void>;
  /** Opens what is stored once more, as a new process would; undefined where nothing outlives it. */
  reopen?(): Promise<MessageStore>;
}

const ROOMY = { maxMessages: 1_000, maxBytes: 1_000_000 };

/** One test or more for each numbered promise of `MessageStore`. */
export function storeContract(
  name: string,
  open: (t: TestContext) => Promise<StoreUnderTest>,
): void {
  describe(`${name} keeps the store contract`, () => {
    test('1: a group that does not fit leaves nothing behind, the groups beside it are kept', async (t) => {
      const { store } = await open(t);

      const results = await store.append(
        [[message('a')], [message('b'), message('c'), message('d')], [message('e')]],
        { ...ROOMY, maxMessages: 3 },
      );

      assert.deepEqual(results.map(kindOf), ['kept', 'full', 'kept']);
      assert.deepEqual(await leasedIds(store, 10), ['a', 'e']);
    });

    test('1: a queue is full when its bytes are, whatever their number', async (t) => {
      const { store } = await open(t);
      // As this store counts: one that encrypts has more to keep.
      const bytes = await sizeInStore(open, t);

      const results = await store.append([[message('a')], [message('b')]], {
        ...ROOMY,
        maxBytes: bytes + 5,
      });

      assert.deepEqual(results.map(kindOf), ['kept', 'full']);
    });

    test('1: what was appended is there for the next process, body, headers and all', async (t) => {
      const { store, reopen } = await open(t);
      if (reopen === undefined) return;
      const original = { ...message('a', 'k'), headers: { traceparent: '00-1-2-01', ü: '✓' } };
      await store.append([[original]], ROOMY);

      const [lease] = await (await reopen()).lease(1, 1_000);

      assert.deepEqual(plain(lease?.message), plain(original));
    });

    test('2: of many in one call, those that are known and those given twice are told, and no other', async (t) => {
      const { store } = await open(t);
      await store.append([[message('m3')], [message('m11')]], ROOMY);
      const ids = Array.from({ length: 27 }, (_, n) => `m${n % 25}`);

      const results = await store.append(
        [ids.slice(0, 2), ids.slice(2, 14), ids.slice(14)].map((group) =>
          group.map((id) => message(id)),
        ),
        ROOMY,
      );

      const duplicates = results.flatMap((each) => (each.kind === 'kept' ? each.duplicates : []));
      assert.deepEqual(
        duplicates.flatMap((known, n) => (known ? [n] : [])),
        [3, 11, 25, 26],
      );
      const order = ['m3', 'm11', ...ids.slice(0, 25).filter((id) => id !== 'm3' && id !== 'm11')];
      assert.deepEqual(await leasedIds(store, 50), order);
      assert.equal((await store.stats()).queued, 25);
    });

    test('2: an id is accepted once, while queued, after delivery and after death', async (t) => {
      const { store } = await open(t);
      await append(store, ['queued', 'delivered', 'dead']);
      const [, delivered, dead] = await store.lease(3, 1_000);
      await store.complete([delivered!]);
      await store.bury([dead!], 'refused');

      const again = await store.append(
        [[message('queued'), message('delivered'), message('dead'), message('new')]],
        ROOMY,
      );

      assert.deepEqual(again, [{ kind: 'kept', duplicates: [true, true, true, false] }]);
    });

    test('2: a known id is answered even when the queue is full', async (t) => {
      const { store } = await open(t);
      await append(store, ['a']);

      const again = await store.append([[message('a')]], { ...ROOMY, maxMessages: 1 });

      assert.deepEqual(again, [{ kind: 'kept', duplicates: [true] }]);
    });

    test('3: no two live leases hold the same message', async (t) => {
      const { store } = await open(t);
      await append(store, ['a', 'b', 'c']);

      assert.deepEqual(await leasedIds(store, 2), ['a', 'b']);
      assert.deepEqual(await leasedIds(store, 2), ['c']);
      assert.deepEqual(await leasedIds(store, 2), []);
    });

    test('4: while a message of a key is leased or waits, the later ones of that key wait', async (t) => {
      const { store, elapse } = await open(t);
      await store.append([[message('a1', 'a'), message('b1', 'b'), message('a2', 'a')]], ROOMY);

      const [a1] = await store.lease(1, 1_000);
      assert.deepEqual(await leasedIds(store, 10), ['b1'], 'a1 is leased');
      await store.release([a1!], { delayMs: 500 });
      assert.deepEqual(await leasedIds(store, 10), [], 'a1 waits');
      await elapse(501);
      assert.deepEqual(await leasedIds(store, 10), ['a1', 'a2'], 'in order, together');
    });

    test('4: the same key on another topic is another order', async (t) => {
      const { store } = await open(t);
      const elsewhere = { ...message('other', 'a'), topic: 'elsewhere' };
      await store.append([[message('a1', 'a'), elsewhere]], ROOMY);
      await store.lease(1, 1_000);

      assert.deepEqual(await leasedIds(store, 10), ['other']);
    });

    test('5: a lease that nobody ends lapses, and the message is leased again', async (t) => {
      const { store, elapse } = await open(t);
      await append(store, ['a']);
      await store.lease(1, 100);

      await elapse(101);
      const [second] = await store.lease(1, 100);

      assert.deepEqual([second?.message.id, second?.delivery], ['a', 2]);
    });

    test('5: renewing keeps a lease alive for as long as it is renewed', async (t) => {
      const { store, elapse } = await open(t);
      await append(store, ['a']);
      const leases = await store.lease(1, 100);

      await elapse(80);
      assert.equal(await store.renew(leases, 100), 1);
      await elapse(80);

      assert.deepEqual(await leasedIds(store, 1), []);
      assert.equal(await store.complete(leases), 1);
    });

    test('5: giving back without an attempt does not count as a delivery', async (t) => {
      const { store, elapse } = await open(t);
      await append(store, ['a']);
      await store.release(await store.lease(1, 1_000), { delayMs: 0, attempted: false });
      await elapse(1);

      const [lease] = await store.lease(1, 1_000);

      assert.equal(lease?.delivery, 1);
    });

    test('6: a worker that outlives its lease changes nothing any more', async (t) => {
      const { store, elapse } = await open(t);
      await append(store, ['a']);
      const slow = await store.lease(1, 50);

      await elapse(60);
      const lapsed = await endings(store, slow);
      const fresh = await store.lease(1, 1_000);
      const taken = await endings(store, slow);

      assert.deepEqual({ lapsed, taken }, { lapsed: [0, 0, 0, 0], taken: [0, 0, 0, 0] });
      assert.equal(await store.complete(fresh), 1);
    });

    test('7: counters say what is queued, delivered and dead, and survive what messages survive', async (t) => {
      const { store, elapse, reopen } = await open(t);
      await append(store, ['a', 'b', 'c', 'd']);
      await elapse(250);
      const [a, b] = await store.lease(2, 1_000);
      await store.complete([a!]);
      await store.bury([b!], 'refused');

      const { queuedBytes, ...stats } = await store.stats();
      assert.deepEqual(stats, { queued: 2, successful: 1, dead: 1, oldestMs: 250, paused: [] });
      assert.equal(queuedBytes, 2 * (await sizeInStore(open, t)));
      if (reopen !== undefined) {
        assert.deepEqual(await (await reopen()).stats(), { queuedBytes, ...stats });
      }
    });

    test('8: a dead letter keeps body, reason and history; a replay goes to the end of the queue and leaves a mark', async (t) => {
      const { store, elapse } = await open(t);
      await append(store, ['a', 'b']);
      const [a] = await store.lease(1, 1_000);
      await store.release([a!], { delayMs: 0, error: 'broker away' });
      await elapse(1);
      const [again] = await store.lease(1, 1_000);
      await store.bury([again!], 'too large');

      const { letters, next } = await store.listDead({ limit: 10 });
      const [letter] = letters;
      assert.deepEqual(
        [letter?.message.id, letter?.reason, letter?.deliveries, letter?.replays, next],
        ['a', 'too large', 2, 0, undefined],
      );
      assert.deepEqual(textOf(letter?.message), 'body of a');
      assert.deepEqual(
        letter?.history.map(({ what, detail }) => [what, detail]),
        [
          ['failed', 'broker away'],
          ['died', 'too large'],
        ],
      );

      assert.equal(await store.replay(['a', 'unknown']), 1);
      const leases = await store.lease(10, 1_000);
      assert.deepEqual(
        leases.map(({ message: { id }, delivery }) => `${id}#${delivery}`),
        ['b#1', 'a#1'],
      );
      const found = await store.find('a');
      assert.deepEqual([found?.state, found?.history.at(-1)?.what], ['queued', 'replayed']);
    });

    test('8: dead letters come in pages, and a discarded one is forgotten', async (t) => {
      const { store } = await open(t);
      await append(store, ['a', 'b', 'c']);
      await store.bury(await store.lease(3, 1_000), 'refused');

      const first = await store.listDead({ limit: 2 });
      const second = await store.listDead({ limit: 2, after: first.next! });
      const ids = [first, second].map((page) => page.letters.map(({ message: { id } }) => id));

      assert.deepEqual(ids, [['a', 'b'], ['c']]);
      assert.equal(await store.discard(['b', 'unknown']), 1);
      assert.equal(await store.find('b'), undefined);
      assert.equal((await store.stats()).dead, 2);
    });

    test('8: what is queued comes in pages, in order, leased or not', async (t) => {
      const { store } = await open(t);
      await append(store, ['a', 'b', 'c']);
      await store.lease(1, 1_000);

      const first = await store.listQueued({ limit: 2 });
      const second = await store.listQueued({ limit: 2, after: first.next! });

      assert.deepEqual(
        [first, second].map((page) => [page.messages.map(({ id }) => id), page.next === undefined]),
        [
          [['a', 'b'], false],
          [['c'], true],
        ],
      );
    });

    test('8: find tells the state of a message, and nothing of one it never saw', async (t) => {
      const { store } = await open(t);
      await append(store, ['queued', 'delivered']);
      const leases = await store.lease(2, 1_000);
      await store.complete([leases[1]!]);

      const states = await Promise.all(
        ['queued', 'delivered', 'never'].map((id) => store.find(id)),
      );

      assert.deepEqual(
        states.map((found) => found?.state),
        ['queued', 'delivered', undefined],
      );
    });

    test('9: a store that was closed refuses instead of pretending', async (t) => {
      const { store, reopen } = await open(t);
      if (reopen === undefined) return;
      await store.close();

      await assert.rejects(store.append([[message('a')]], ROOMY), StoreUnavailableError);
    });

    dueContract(open);
    deadContract(open);
    jobsContract(open);
    pausesContract(open);
    replacingContract(open);
  });
}

function message(id: string, key?: string): Message {
  return { id, topic: 'events', key, body: Buffer.from(`body of ${id}`), headers: {} };
}

async function append(store: MessageStore, ids: readonly string[]): Promise<void> {
  await store.append([ids.map((id) => message(id))], ROOMY);
}

async function leasedIds(store: MessageStore, limit: number): Promise<readonly string[]> {
  return (await store.lease(limit, 1_000)).map(({ message: { id } }) => id);
}

/** Tries to end a lease in every way there is. */
async function endings(store: MessageStore, leases: Parameters<MessageStore['complete']>[0]) {
  return [
    await store.renew(leases, 100),
    await store.release(leases, { delayMs: 0 }),
    await store.bury(leases, 'late'),
    await store.complete(leases),
  ];
}

/** What one message of these tests counts for. */
async function sizeInStore(open: (t: TestContext) => Promise<StoreUnderTest>, t: TestContext) {
  const { store } = await open(t);
  await append(store, ['a']);
  return (await store.stats()).queuedBytes;
}

function kindOf(result: AppendResult): string {
  return result.kind;
}

function plain(given: Message | undefined) {
  return given === undefined ? undefined : { ...given, body: textOf(given) };
}

function textOf(given: Message | undefined): string | undefined {
  return given === undefined ? undefined : Buffer.from(given.body).toString();
}
