import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { StateConcurrencyEnum, StateConsistencyEnum } from '@dapr/dapr';
import type { JsPair } from './js-pair.ts';

const STORE = 'state-redis';
const KEYS = ['key-1', 'key-2', 'key-3'];
const VALUES = KEYS.map((key) => ({ key, value: `value of ${key}` }));

export function stateSuite(of: () => JsPair): void {
  const state = () => of().client.state;
  const get = (key: string) => state().get(STORE, key);
  const bulk = async (...keys: string[]) => {
    const items = await state().getBulk(STORE, keys);
    return Object.fromEntries(items.map(({ key, data }) => [key, data || null]));
  };
  /** An error comes in the answer over HTTP, and is thrown over gRPC. */
  const failure = (work: Promise<{ error?: Error } | undefined>): Promise<string> =>
    work.then(
      (answer) => answer?.error?.message ?? '',
      (error: { error?: Error; message?: string }) => error.error?.message ?? error.message ?? '',
    );

  beforeEach(async () => {
    for (const key of KEYS) await state().delete(STORE, key);
  });

  test('values of every kind come back as what they were', async () => {
    const values = ['text', 7, true, { a: { b: [1, 'ü'] } }, [1, 2]];
    for (const value of values) {
      await state().save(STORE, [{ key: 'key-1', value }]);
      assert.deepEqual(await get('key-1'), value);
    }
    assert.equal(await get('key-2'), '');
  });

  test('many are read at once, those that are not there without data', async () => {
    await state().save(STORE, VALUES.slice(0, 2));
    assert.deepEqual(await bulk('key-3', 'key-2'), { 'key-3': null, 'key-2': 'value of key-2' });
  });

  test('an item lives as long as its metadata say, or those of the request', async () => {
    const mortal = { key: 'key-1', value: 'a', metadata: { ttlInSeconds: '1' } };
    await state().save(STORE, [mortal, { key: 'key-2', value: 'b' }]);
    await state().save(STORE, [{ ...mortal, key: 'key-3', value: 'c' }], {
      metadata: { ttlInSeconds: '30' },
    });
    const before = await bulk(...KEYS);
    await sleep(1_500);
    assert.deepEqual(
      [before, await bulk(...KEYS)],
      [
        { 'key-1': 'a', 'key-2': 'b', 'key-3': 'c' },
        { 'key-1': null, 'key-2': 'b', 'key-3': 'c' },
      ],
    );
  });

  test('the first write wins where an item asks for it, by its etag', async () => {
    const options = {
      concurrency: StateConcurrencyEnum.CONCURRENCY_FIRST_WRITE,
      consistency: StateConsistencyEnum.CONSISTENCY_STRONG,
    };
    await state().save(STORE, [{ key: 'key-1', value: 'a' }]);
    const [item] = await state().getBulk(STORE, ['key-1']);
    const { etag } = item as { etag: string };
    const late = { key: 'key-1', value: 'c', etag: '1234', options };
    const outcomes = [
      await failure(state().save(STORE, [{ key: 'key-1', value: 'b', etag, options }])),
      await failure(state().save(STORE, [late])),
      await failure(state().delete(STORE, 'key-1', { etag: '1234', ...options })),
    ];
    assert.deepEqual(
      [outcomes.map((one) => /etag mismatch/i.test(one)), await get('key-1')],
      [[false, true, true], 'b'],
      outcomes.join('\n'),
    );
  });

  test('a transaction writes and deletes, with metadata of its own', async () => {
    await state().save(STORE, VALUES);
    await state().transaction(
      STORE,
      [
        { operation: 'upsert', request: { key: 'key-1', value: 'new' } },
        { operation: 'delete', request: { key: 'key-3' } },
      ],
      { traceid: 'mine' } as never,
    );
    assert.deepEqual(await bulk(...KEYS), {
      'key-1': 'new',
      'key-2': 'value of key-2',
      'key-3': null,
    });
  });

  test('a store that is not there is an error', async () => {
    const why = await failure(state().save('nowhere', [{ key: 'a', value: 1 }]));
    assert.match(why, /state store nowhere is not found|state nowhere is not found|not configured/);
  });
}
