import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { redisServer, withServer } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { pipeline } from '../pipeline.ts';
import { type RedisCacheStoreOptions, redisCacheStore } from '../redis/redis-cache-store.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { cache } from './cache.ts';
import type { CacheStore, StoredAnswer } from './cache-store.ts';
import type { CacheOptions } from './options.ts';

describe('a cache with a store behind it', () => {
  test('gives what another process has kept, with the age that it has', async () => {
    const kept = new Map<string, StoredAnswer>([['p/cache:a', { value: 'theirs', ageMs: 90 }]]);
    const w = world(inMap(kept), { ttlMs: 100 });
    assert.deepEqual([await w.get('a'), await w.get('a')], ['theirs', 'theirs']);
    await w.clock.advance(10);
    assert.equal(await w.get('b'), 'b1');
    assert.deepEqual(w.told(), ['hit 90', 'hit 90', 'miss']);
    assert.deepEqual(kept.get('p/cache:b'), { value: 'b1', ageMs: 0 });
  });

  test('takes what a store says is from the future for new, and keeps it no longer than that', async () => {
    const kept = new Map<string, StoredAnswer>([['p/cache:a', { value: 'theirs', ageMs: -9_000 }]]);
    const w = world(inMap(kept), { ttlMs: 100 });
    assert.equal(await w.get('a'), 'theirs');
    kept.clear();
    await w.clock.advance(100);
    assert.equal(await w.get('a'), 'a1');
    assert.deepEqual(w.told(), ['hit 0', 'miss']);
  });

  test('renews a stale answer of another process in the background', async () => {
    const kept = new Map<string, StoredAnswer>([['p/cache:a', { value: 'theirs', ageMs: 150 }]]);
    const w = world(inMap(kept), { ttlMs: 100, staleMs: 100 });
    assert.deepEqual([await w.get('a'), await w.get('a')], ['theirs', 'a1']);
    assert.deepEqual(w.told(), ['stale 150', 'hit 0']);
  });

  test('gives the old answer of another process where the dependency fails', async () => {
    const kept = new Map<string, StoredAnswer>([['p/cache:a', { value: 'theirs', ageMs: 150 }]]);
    const w = world(inMap(kept), { ttlMs: 100, staleIfErrorMs: 100 });
    w.fails = true;
    assert.equal(await w.get('a'), 'theirs');
    assert.deepEqual(w.told(), ['miss', 'stale-if-error 150']);
  });

  test('asks the store once for all who wait, who may leave meanwhile', async () => {
    let asked = 0;
    const clock = new VirtualClock();
    const store: CacheStore = {
      async get() {
        asked += 1;
        await clock.sleep(20);
        return undefined;
      },
      set: async () => {},
      delete: async () => {},
    };
    const w = world(store, {}, clock);
    const first = new AbortController();
    const all = [w.now('a', first.signal), w.now('a'), w.now('a')];
    await clock.advance(10);
    first.abort('gone');
    await clock.advance(20);
    assert.deepEqual([await Promise.all(all), asked, w.runs], [['gone', 'a1', 'a1'], 1, 1]);
    const last = new AbortController();
    const alone = w.now('b', last.signal);
    last.abort('gone as well');
    await clock.advance(50);
    assert.deepEqual([await alone, w.runs, clock.pendingTimers], ['gone as well', 1, 0]);
  });

  test('does without a store that rejects, throws or hangs, says so, and leaves it alone for a while', async () => {
    const troubles: Record<string, () => Promise<undefined>> = {
      rejects: () => Promise.reject(new Error('store down')),
      throws: () => {
        throw new Error('store down');
      },
      hangs: () => new Promise(() => {}),
    };
    for (const [name, trouble] of Object.entries(troubles)) {
      let asked = 0;
      const get = () => {
        asked += 1;
        return trouble();
      };
      const w = world(
        { get, set: trouble, delete: trouble },
        { storeTimeoutMs: 40, storePauseMs: 500 },
      );
      const beganMs = w.clock.now();
      assert.deepEqual([await w.get('a'), await w.get('b'), await w.get('a')], ['a1', 'b2', 'a1']);
      assert.equal(w.clock.now() - beganMs, name === 'hangs' ? 40 : 0, name);
      const why = name === 'hangs' ? 'The cache store did not answer within 40 ms.' : 'store down';
      const [first] = w.calls();
      assert.ok(first! > 0, 'it is told of the call that asked');
      assert.deepEqual([asked, w.failures()], [1, [[first, why]]], name);
      await w.clock.advance(beganMs + 499 + (name === 'hangs' ? 40 : 0) - w.clock.now());
      await w.get('d');
      assert.equal(asked, 1, name);
      await w.clock.advance(1);
      await w.get('c');
      assert.deepEqual([asked, w.clock.pendingTimers], [2, 0], name);
    }
  });
});

test('an answer of a store that cannot be weighed is passed by: its callers waited for ever, and the process ended', async () => {
  const store: CacheStore = {
    get: async (key) => ({ value: key.endsWith('a') ? 'an old version’s' : 'b', ageMs: 5 }),
    set: async () => {},
    delete: async () => {},
  };
  const sizeOf = (value: unknown) => {
    if (value === 'an old version’s') throw new Error('no length');
    return 1;
  };
  const w = world(store, { sizeOf });
  assert.deepEqual([await w.get('a'), await w.get('b'), w.runs], ['a1', 'b', 1]);
  assert.deepEqual(w.failures(), [[w.calls()[0], 'no length']]);
});

describe('what a cache keeps in a store', () => {
  test('is kept as long as it is of use, and a store that fails at that is left alone as well', async () => {
    const kept: unknown[] = [];
    const fine: CacheStore = {
      get: async () => undefined,
      set: async (...args) => void kept.push(args),
      delete: async () => {},
    };
    for (const [staleMs, staleIfErrorMs] of [
      [0, 0],
      [20, 30],
      [50, 30],
    ]) {
      await world(fine, { ttlMs: 100, staleMs: staleMs!, staleIfErrorMs: staleIfErrorMs! }).get(
        'a',
      );
    }
    assert.deepEqual(kept, [
      ['p/cache:a', 'a1', 100],
      ['p/cache:a', 'a1', 130],
      ['p/cache:a', 'a1', 150],
    ]);

    let asked = 0;
    const failing: CacheStore = {
      async get() {
        asked += 1;
        return undefined;
      },
      set: () => Promise.reject(new Error('full')),
      delete: async () => {},
    };
    const w = world(failing, { storePauseMs: 500 });
    assert.deepEqual([await w.get('a'), await w.get('b')], ['a1', 'b2']);
    assert.deepEqual([asked, w.failures()], [1, [[w.calls()[0], 'full']]]);
  });
});

describe('a cache store in Redis', () => {
  test('keeps answers for other processes, with their age, for as long as they are of use', async (t) => {
    const redis = await start(t);
    if (redis === undefined) return;
    const { client, store } = redis;
    await store.set('a', { price: 17, note: 'a: b' }, 60_000);
    const found = await store.get('a');
    assert.deepEqual(found?.value, { price: 17, note: 'a: b' });
    assert.ok(found.ageMs >= 0 && found.ageMs < 30_000, `${found.ageMs} ms`);
    await client.pexpire('holdfast:cache:a', 20_000);
    const aged = (await store.get('a'))?.ageMs ?? 0;
    assert.ok(aged >= 40_000 && aged < 60_000, `${aged} ms`);
    await store.set('a', null, 50);
    while ((await client.exists('holdfast:cache:a')) === 1) await sleep(10);
    assert.deepEqual([await store.get('a'), await store.get('never')], [undefined, undefined]);
  });

  test('takes what text is made of answers from the caller', async (t) => {
    const redis = await start(t, {
      prefix: 'mine:',
      serialize: (value) => `<${value}>`,
      parse: (text) => text.slice(1, -1),
    });
    if (redis === undefined) return;
    await redis.store.set('a', 17, 60_000);
    assert.match((await redis.client.get('mine:a')) ?? '', /^60000:<17>$/);
    assert.equal((await redis.store.get('a'))?.value, '17');
  });

  test('forgets one answer, or all whose keys begin alike, and nobody else’s', async (t) => {
    const redis = await start(t);
    if (redis === undefined) return;
    const { client, store } = redis;
    const keys = ['p/cache:a', 'p/cache:b', 'p*[x]\\?/cache:a', 'pq/cache:a'];
    for (const key of keys) await store.set(key, key, 60_000);
    await client.set('p/cache:foreign', 'not ours');
    const left = async () => {
      const found = await Promise.all(keys.map((key) => store.get(key)));
      return keys.filter((_, i) => found[i] !== undefined);
    };
    await store.delete('p/cache:a');
    await store.delete('never');
    const afterDelete = await left();
    await store.clear?.('p*[x]\\?/cache:');
    const afterClear = await left();
    await store.clear?.('p/cache:');
    assert.deepEqual(
      [afterDelete, afterClear, await left(), await client.get('p/cache:foreign')],
      [keys.slice(1), ['p/cache:b', 'pq/cache:a'], ['pq/cache:a'], 'not ours'],
    );
  });

  test('clears more keys than one look finds', async (t) => {
    const redis = await start(t);
    if (redis === undefined) return;
    const { client, store } = redis;
    const numbered = (n: number) => store.set(`p/cache:${n}`, n, 60_000);
    await Promise.all(Array.from({ length: 5_000 }, (_, n) => numbered(n)));
    await store.set('q/cache:0', 0, 60_000);
    await store.clear?.('p/cache:');
    assert.equal(await client.dbsize(), 1);
  });

  test('keeps nothing of what has no text', async (t) => {
    const redis = await start(t);
    if (redis === undefined) return;
    await redis.store.set('a', undefined, 60_000);
    assert.equal(await redis.store.get('a'), undefined);
  });

  test('that is killed, paused and started again fails no call of two pipelines that share it', async (t) => {
    const redis = await start(t);
    if (redis === undefined) return;
    const storeFailures = [0, 0];
    const nodes = [0, 1].map((n) =>
      pipeline('prices', [cache({ store: redis.store, storePauseMs: 0, ttlMs: 60_000 })], {
        registry: undefined,
        report: ({ type }) => {
          if (type === 'store-failed') storeFailures[n]! += 1;
        },
      }),
    );
    const get = (n: number, cacheKey: string) =>
      nodes[n]!.execute(async () => `by ${n}`, { cacheKey });
    const agree = async (what: string) => {
      for (let i = 0; i < 1_000; i += 1) {
        const key = `${what} ${i}`;
        await get(0, key);
        if ((await get(1, key)) === 'by 0') return;
        await sleep(20);
      }
      throw new Error(`They did not share their answers again: ${what}.`);
    };
    const alone = async (what: string) => {
      const before = [...storeFailures];
      for (let i = 0; storeFailures.some((count, n) => count === before[n]); i += 1) {
        const key = `${what} ${i}`;
        assert.deepEqual([await get(0, key), await get(1, key)], ['by 0', 'by 1']);
      }
    };
    await agree('at first');
    redis.server.process.signal('SIGSTOP');
    await alone('paused');
    redis.server.process.signal('SIGCONT');
    await agree('after the pause');
    await redis.server.process.kill();
    await alone('killed');
    await redis.server.process.restart();
    await agree('after the restart');
  });
});

const inMap = (kept: Map<string, StoredAnswer>): CacheStore => ({
  get: async (key) => kept.get(key),
  set: async (key, value) => void kept.set(key, { value, ageMs: 0 }),
  delete: async (key) => void kept.delete(key),
});

/** A pipeline in virtual time before a dependency that answers its key and how often it was asked. */
function world(store: CacheStore, options: CacheOptions = {}, clock = new VirtualClock()) {
  const { events, listener } = record();
  const p = pipeline('p', [cache({ ...options, store })], {
    clock,
    registry: undefined,
    report: listener,
  });
  const w = {
    clock,
    runs: 0,
    fails: false,
    now: (cacheKey: string, signal?: AbortSignal): Promise<unknown> =>
      p
        .execute(
          async () => {
            w.runs += 1;
            if (w.fails) throw new Error('down');
            return `${cacheKey}${w.runs}`;
          },
          { cacheKey, ...(signal && { signal }) },
        )
        .catch((error: unknown) => error),
    get: (cacheKey: string) => clock.run(() => w.now(cacheKey)),
    told: () =>
      events.flatMap((e) =>
        e.type === 'cache' ? [e.ageMs === undefined ? e.result : `${e.result} ${e.ageMs}`] : [],
      ),
    failures: () =>
      events.flatMap((e) =>
        e.type === 'store-failed' ? [[e.call, (e.error as Error).message]] : [],
      ),
    calls: () => [...new Set(events.map(({ call }) => call))],
  };
  return w;
}

async function start(t: TestContext, options?: RedisCacheStoreOptions) {
  const server = await withServer(t, redisServer);
  if (server === undefined) return undefined;
  const client = new Redis(server.url, { maxRetriesPerRequest: 1 });
  client.on('error', () => {
    // What matters of it comes as `store-failed`.
  });
  t.after(() => client.disconnect());
  return { server, client, store: redisCacheStore(client, options) };
}
