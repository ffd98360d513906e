import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type StateStore, toldOf } from '../state/state-store.ts';

/** What an adapter supplies to be put to the test. */
export interface StateUnderTest {
  readonly store: StateStore;
  /** Lets so much of the store's own time pass. */
  elapse(seconds: number): Promise<void>;
  /** Another connection to the same data, as another sidecar has it; absent where there is no such thing. */
  another?(): Promise<StateStore>;
  /** What could be an etag and is none of these items'. @default 'other' */
  readonly wrongEtag?: string;
  /** What becomes of a write whose etag's item is not there any more. @default 'conflicts' */
  readonly etagOfNothing?: 'conflicts' | 'writes';
}

const set = (
  key: string,
  value: string,
  more: { etag?: string; firstWrite?: boolean; ttlSeconds?: number } = {},
) => ({ kind: 'set', key, value, firstWrite: false, ...more }) as const;

/** Holds a store to its promises; every adapter runs it. */
export function stateContract(
  name: string,
  open: (t: TestContext) => Promise<StateUnderTest>,
): void {
  describe(`${name} keeps the contract of a state store`, () => {
    const run = (title: string, body: (world: StateUnderTest) => Promise<void>) =>
      test(title, async (t) => {
        const world = await open(t);
        try {
          await body(world);
        } finally {
          await world.store.close();
        }
      });

    run('what was written is read, each time with another etag', async ({ store }) => {
      await store.write([set('a', '1')], false);
      const first = await store.get('a');
      await store.write([set('a', '{"b":2}')], false);
      const second = await store.get('a');
      assert.deepEqual(
        [String(first?.value), JSON.parse(String(second?.value)), await store.get('b')],
        ['1', { b: 2 }, undefined],
      );
      assert.notEqual(first?.etag, second?.etag);
    });

    run('bytes come back as they were, also those that are no text', async ({ store }) => {
      const value = Buffer.from([0, 0xff, 0x22, 0x7b, 0x0a]);
      await store.write([{ kind: 'set', key: 'bytes', value, firstWrite: false }], false);
      const { etag = '' } = (await store.get('bytes')) ?? {};
      await store.write([{ kind: 'set', key: 'bytes', value, firstWrite: false, etag }], true);
      assert.deepEqual((await store.get('bytes'))?.value, value);
    });

    run('of many writers with one etag exactly one wins', async ({ store }) => {
      await store.write([set('a', '0')], false);
      const { etag = '' } = (await store.get('a')) ?? {};
      const outcomes = await Promise.allSettled(
        Array.from({ length: 50 }, (_, n) => store.write([set('a', String(n), { etag })], false)),
      );
      const won = outcomes.filter(({ status }) => status === 'fulfilled').length;
      const lost = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason.name] : []));
      assert.deepEqual([won, new Set(lost)], [1, new Set(['EtagMismatchError'])]);
    });

    run('of many that write first exactly one does', async ({ store }) => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 50 }, (_, n) =>
          store.write([set('a', String(n), { firstWrite: true })], false),
        ),
      );
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    });

    run(
      'an atomic write that conflicts leaves nothing behind',
      async ({ store, wrongEtag = 'other' }) => {
        await store.write([set('a', '1')], false);
        const work = [
          set('new', '1'),
          { kind: 'delete', key: 'a' } as const,
          set('a', '2', { etag: wrongEtag }),
        ];
        await assert.rejects(store.write(work, true), { name: 'EtagMismatchError' });
        assert.deepEqual(
          [await store.get('new'), String((await store.get('a'))?.value)],
          [undefined, '1'],
        );
      },
    );

    run('deletes ask for the etag where one is given', async ({ store, wrongEtag = 'other' }) => {
      await store.write([set('a', '1')], false);
      await assert.rejects(store.write([{ kind: 'delete', key: 'a', etag: wrongEtag }], false), {
        name: 'EtagMismatchError',
      });
      const { etag } = (await store.get('a')) ?? {};
      await store.write(
        [
          { kind: 'delete', key: 'a', etag },
          { kind: 'delete', key: 'none' },
        ],
        false,
      );
      assert.equal(await store.get('a'), undefined);
    });

    run(
      'an item that has expired is not there: not to read, not to compare, not in the way',
      async ({ store, elapse, etagOfNothing = 'conflicts' }) => {
        await store.write(
          [set('a', '1', { ttlSeconds: 1 }), set('b', '1', { ttlSeconds: 1 })],
          false,
        );
        const alive = await store.get('a');
        await elapse(2.1);
        assert.match(toldOf(alive!).ttlExpireTime ?? '', /Z$/);
        assert.equal(await store.get('a'), undefined);
        const late = store.write([set('a', '2', { etag: alive?.etag ?? '' })], false);
        if (etagOfNothing === 'writes') await late;
        else await assert.rejects(late, { name: 'EtagMismatchError' });
        await store.write([set('b', '3', { firstWrite: true })], false);
        assert.equal(String((await store.get('b'))?.value), '3');
      },
    );

    run(
      'another connection sees what was written, and its writes are seen',
      async ({ store, another }) => {
        if (another === undefined) {
          await store.write([set('a', '1')], false);
          assert.equal(String((await store.get('a'))?.value), '1', 'one process, one connection');
          return;
        }
        const other = await another();
        try {
          await store.write([set('a', '1')], false);
          const seen = await other.get('a');
          await other.write([set('a', '2', { etag: seen?.etag ?? '' })], false);
          assert.deepEqual(
            [String(seen?.value), String((await store.get('a'))?.value)],
            ['1', '2'],
          );
        } finally {
          await other.close();
        }
      },
    );
  });
}
