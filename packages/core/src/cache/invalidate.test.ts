import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keyedPipeline } from '../keyed/keyed-pipeline.ts';
import { pipeline } from '../pipeline.ts';
import { retry } from '../retry/retry.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { cache } from './cache.ts';
import type { CacheStore, StoredAnswer } from './cache-store.ts';
import type { CacheOptions } from './options.ts';

describe('invalidating', () => {
  test('drops one answer, and the next call asks', async () => {
    const { get, p } = world();
    const before = [await get('a'), await get('b')];
    await p.invalidate('a');
    await p.invalidate('never');
    assert.deepEqual([before, await get('a'), await get('b')], [['a1', 'b2'], 'a3', 'b2']);
  });

  test('drops all answers, and what they weighed', async () => {
    const { get, p } = world({ maxBytes: 100, sizeOf: () => 40 });
    await get('a');
    await get('b');
    await p.invalidateAll();
    assert.deepEqual(p.inspect().policies[0]?.cache, { entries: 0, bytes: 0, fetching: 0 });
    assert.equal(await get('a'), 'a3');
  });

  test('gives what is being fetched to those who wait for it, and neither keeps it nor lets others join', async () => {
    const { clock, get, now, p } = world({}, 100);
    const first = [now('a'), now('a')];
    await clock.advance(50);
    await p.invalidate('a');
    const later = now('a');
    await clock.advance(50);
    const joined = now('a');
    await clock.advance(100);
    assert.deepEqual(
      [await Promise.all([...first, later, joined]), await get('a')],
      [['a1', 'a1', 'a2', 'a2'], 'a2'],
    );
  });

  test('keeps no renewal that had begun before, nor an error', async () => {
    const renewed = world({ ttlMs: 100, staleMs: 1_000 }, 50);
    await renewed.get('a');
    await renewed.clock.advance(100);
    await renewed.get('a');
    await renewed.p.invalidateAll();
    await renewed.clock.advance(60);
    assert.equal(await renewed.get('a'), 'a3');

    const failing = world({ errorTtlMs: 1_000 }, 50);
    failing.state.fails = true;
    const failed = failing.now('a');
    await failing.p.invalidate('a');
    await failing.clock.advance(50);
    failing.state.fails = false;
    assert.deepEqual([await failed, await failing.get('a')], ['down 1', 'a2']);
  });

  test('a caller that leaves what was invalidated does not end what came after', async () => {
    const { clock, now, p, runs } = world({}, 100);
    const caller = new AbortController();
    const gone = now('a', caller.signal);
    await p.invalidate('a');
    const later = now('a');
    caller.abort('gone');
    const joined = now('a');
    await clock.advance(100);
    assert.deepEqual([await gone, await later, await joined, runs()], ['gone', 'a2', 'a2', 2]);
  });

  test('reaches the store, which had given an older answer meanwhile', async () => {
    const clock = new VirtualClock();
    const kept = new Map<string, StoredAnswer>([['p/cache:a', { value: 'old', ageMs: 0 }]]);
    const slow: CacheStore = {
      get: async (key) => {
        const found = kept.get(key);
        await clock.sleep(20);
        return found;
      },
      set: async (key, value) => void kept.set(key, { value, ageMs: 0 }),
      delete: async (key) => void kept.delete(key),
      clear: async (prefix) => {
        for (const key of kept.keys()) if (key.startsWith(prefix)) kept.delete(key);
      },
    };
    const { get, now, p } = world({ store: slow }, 0, clock);
    const early = now('a');
    await p.invalidate('a');
    await clock.advance(20);
    assert.deepEqual([await early, [...kept.keys()]], ['a1', []]);
    await get('a');
    await get('b');
    kept.set('p2/cache:a', { value: 'another’s', ageMs: 0 });
    await p.invalidateAll();
    assert.deepEqual([[...kept.keys()], await get('a')], [['p2/cache:a'], 'a4']);
  });

  test('rejects where the store fails, hangs or cannot, and has dropped its own all the same', async () => {
    const clock = new VirtualClock();
    const store = (forget: () => Promise<void>): CacheStore => ({
      get: async () => undefined,
      set: async () => {},
      delete: forget,
    });
    const outcome = async (forget: () => Promise<void>, all = false) => {
      const { get, p } = world({ store: store(forget), storeTimeoutMs: 40 }, 0, clock);
      await get('a');
      const said = await clock.run(() =>
        (all ? p.invalidateAll() : p.invalidate('a')).catch(({ message }: Error) => message),
      );
      return [said, await get('a')];
    };
    assert.deepEqual(
      [
        await outcome(() => Promise.reject(new Error('store down'))),
        await outcome(() => {
          throw new Error('store down');
        }),
        await outcome(() => new Promise(() => {})),
        await outcome(async () => {}, true),
        clock.pendingTimers,
      ],
      [
        ['store down', 'a2'],
        ['store down', 'a2'],
        ['The cache store did not answer within 40 ms.', 'a2'],
        ['The store of the cache "cache" has no method clear.', 'a2'],
        0,
      ],
    );
  });

  test('does nothing where there is no cache, and refuses what is no key', async () => {
    const plain = pipeline('p', [retry()], { registry: undefined });
    await plain.invalidate('a');
    await plain.invalidateAll();
    await assert.rejects(plain.invalidate(undefined as never), {
      name: 'TypeError',
      message:
        'invalidate.cacheKey must be a string, not undefined. For all keys there is invalidateAll().',
    });
    const broken = { get: async () => undefined, set: async () => {} } as never;
    assert.throws(() => cache({ store: broken }), /cache\.store\.delete must be a function/);
  });
});

test('keys of a keyed pipeline keep their answers apart in a store that they share', async () => {
  const kept = new Map<string, StoredAnswer>();
  const store: CacheStore = {
    get: async (key) => kept.get(key),
    set: async (key, value) => void kept.set(key, { value, ageMs: 0 }),
    delete: async (key) => void kept.delete(key),
  };
  const tenants = keyedPipeline('tenants', [cache({ store })], { registry: undefined });
  const profile = (key: string) =>
    tenants.execute(async () => `of ${key}`, { key, cacheKey: 'profile' });
  assert.deepEqual(
    [await profile('a'), await profile('b'), [...kept.keys()]],
    ['of a', 'of b', ['tenants/a/cache:profile', 'tenants/b/cache:profile']],
  );
});

/** A pipeline in virtual time before a dependency that answers its key and how often it was asked. */
function world(options: CacheOptions = {}, takesMs = 0, clock = new VirtualClock()) {
  const p = pipeline('p', [cache(options)], { clock, registry: undefined });
  const state = { runs: 0, fails: false };
  const now = (cacheKey: string, signal?: AbortSignal): Promise<unknown> =>
    p
      .execute(
        async () => {
          state.runs += 1;
          const n = state.runs;
          if (takesMs > 0) await clock.sleep(takesMs);
          if (state.fails) throw new Error(`down ${n}`);
          return `${cacheKey}${n}`;
        },
        { cacheKey, ...(signal && { signal }) },
      )
      .catch((error: unknown) => (error instanceof Error ? error.message : error));
  return {
    clock,
    p,
    state,
    now,
    runs: () => state.runs,
    get: (cacheKey: string) => clock.run(() => now(cacheKey)),
  };
}
