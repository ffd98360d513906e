import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pipeline } from '../pipeline.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { cache } from './cache.ts';
import type { CacheOptions } from './options.ts';

describe('a cache and a result that is as bad as an error', () => {
  test('gives its last good answer in place of it, and else the result', async () => {
    const w = world({ ttlMs: 10, staleIfErrorMs: 50 }, [200, 503, 503, 503]);
    const seen = [await w.get(), await w.get()];
    await w.clock.advance(10);
    seen.push(await w.get());
    await w.clock.advance(50);
    seen.push(await w.get(), await w.get());
    assert.deepEqual(seen, ['200 #1', '200 #1', '200 #1 degraded', '503 #3', '503 #4']);
    assert.deepEqual(w.discarded, ['503 #2'], 'a result that nobody got');
    assert.deepEqual(w.told(), ['miss', 'hit', 'miss', 'stale-if-error', 'miss', 'miss']);
  });

  test('asks once for all who want the same, and gives all the one answer or the other', async () => {
    const w = world({ ttlMs: 10, staleIfErrorMs: 50 }, [200, 503]);
    await w.get();
    await w.clock.advance(10);
    assert.deepEqual(await Promise.all([w.get(), w.get()]), Array(2).fill('200 #1 degraded'));
    assert.deepEqual([w.runs(), w.discarded], [2, ['503 #2']]);
  });

  test('discards what a renewal has brought that is no good, or that nobody may keep', async () => {
    const cacheIf = (result: Result) => result.n < 3;
    const w = world({ ttlMs: 10, staleMs: 1_000, cacheIf }, [200, 503, 200, 200]);
    const seen = [await w.get()];
    for (let round = 0; round < 3; round += 1) {
      await w.clock.advance(10);
      seen.push(await w.get());
    }
    await w.clock.advance(0);
    assert.deepEqual(seen, Array(4).fill('200 #1'));
    assert.deepEqual(w.discarded, ['503 #2', '200 #3', '200 #4']);
  });

  test('ends its calls with the error of a predicate that throws, and discards the result', async () => {
    const staleIfResult = () => {
      throw new Error('broken');
    };
    const w = world({ staleIfResult }, [200]);
    assert.deepEqual([await w.get(), w.discarded], ['Error: broken', ['200 #1']]);
  });
});

interface Result {
  readonly status: number;
  readonly n: number;
}

/** A pipeline with a cache before a dependency that answers with these, one after another. */
function world(options: CacheOptions, statuses: readonly number[]) {
  const clock = new VirtualClock();
  const { events, listener } = record();
  const staleIfResult = ({ status }: Result) => status === 503;
  const policy = cache({ staleIfResult, ...options });
  const p = pipeline('p', [policy], { clock, registry: undefined, report: listener });
  const discarded: string[] = [];
  const inWords = ({ n, status }: Result) => `${status} #${n}`;
  let n = 0;
  return {
    clock,
    discarded,
    runs: () => n,
    told: () => events.flatMap((event) => (event.type === 'cache' ? [event.result] : [])),
    async get() {
      let degraded = '';
      const ask = async (): Promise<Result> => {
        n += 1;
        return { n, status: statuses[n - 1] ?? 503 };
      };
      const answer = await p
        .execute(ask, {
          cacheKey: 'k',
          discard: (result) => discarded.push(inWords(result)),
          onDegraded: () => {
            degraded = ' degraded';
          },
        })
        .then(inWords, String);
      return `${answer}${degraded}`;
    },
  };
}
