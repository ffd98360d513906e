import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { cache } from '../cache/cache.ts';
import { fault } from '../fault/fault.ts';
import { keyedPipeline } from '../keyed/keyed-pipeline.ts';
import { pipeline } from '../pipeline.ts';
import { rateLimit } from '../rate-limit/rate-limit.ts';
import { retry } from '../retry/retry.ts';
import { timeout } from '../timeout/timeout.ts';
import { virtualWorld } from './virtual-world.ts';

describe('a virtual world', () => {
  test('plays a call to its end and tells how it ended, how long it took, and what happened', async () => {
    const world = virtualWorld();
    const p = pipeline('p', [retry({ maxRetries: 1, jitter: 'none' })], world.env);
    await world.play(() => p.execute(() => 'before'));
    const bad = await world.play(() =>
      p.execute(async () => {
        await world.timers.setTimeout(() => {}, 5);
        throw new Error('down');
      }),
    );
    assert.deepEqual(
      [String(bad.error), bad.value, bad.tookMs, bad.events.map(({ type }) => type)],
      ['Error: down', undefined, 200, ['attempt', 'retry', 'attempt', 'retry-stopped', 'call']],
    );
    assert.equal(
      bad.text,
      `       0 ms  p #2: attempt attempt=1 outcome="failure" durationMs=0 error="Error: down"
       0 ms  p #2 retry: retry attempt=1 delayMs=200 error="Error: down"
     200 ms  p #2: attempt attempt=2 outcome="failure" durationMs=0 error="Error: down"
     200 ms  p #2 retry: retry-stopped attempts=2 why="exhausted" error="Error: down"
     200 ms  p #2: call attempts=2 degraded=false outcome="failure" durationMs=200 error="Error: down"
`,
    );
    assert.deepEqual([world.events.length, world.text().endsWith(bad.text)], [7, true]);
  });

  test('plays out the same for the same seed, and differently for another', async () => {
    const play = async (seed: number) => {
      const world = virtualWorld({ seed });
      const p = pipeline('p', [retry()], world.env);
      await world.play(() => p.execute(() => Promise.reject(new Error('down'))));
      return world.text();
    };
    assert.equal(await play(7), await play(7));
    assert.notEqual(await play(7), await play(8));
  });

  test('says what is left, with names, until it is not', async () => {
    const world = virtualWorld();
    const gate = [timeout({ limitMs: 1_000 }), bulkhead({ limit: 1, queueLimit: 1 })];
    const p = pipeline('p', gate, world.env);
    const family = keyedPipeline('hosts', gate, world.env);
    const all = [
      p.execute(() => world.clock.sleep(100)),
      p.execute(() => world.clock.sleep(100)),
      family.execute(() => world.clock.sleep(100), { key: 'a' }),
    ];
    await world.clock.advance(10);
    assert.deepEqual(world.left(), [
      '6 timers',
      '2 calls in flight in "p"',
      '1 places taken in "bulkhead"',
      '1 calls waiting in "bulkhead"',
      '1 calls in flight in "hosts", key "a"',
      '1 places taken in "bulkhead", key "a"',
    ]);
    await world.play(() => Promise.all(all));
    assert.deepEqual(world.left(), []);
  });

  test('says what waits for a turn, for an answer, or is held back', async () => {
    const world = virtualWorld();
    const policies = [
      cache(),
      rateLimit({ limit: 1, intervalMs: 1_000, maxWaitMs: 5_000 }),
      fault({ inject: 'latency', delayMs: 50, ratio: 1 }),
    ];
    const p = pipeline('p', policies, world.env);
    const all = ['a', 'b'].map((cacheKey) => p.execute(() => cacheKey, { cacheKey }));
    await world.clock.advance(10);
    assert.deepEqual(world.left().slice(1), [
      '2 calls in flight in "p"',
      '2 answers being fetched for "cache"',
      '1 calls waiting for their turn in "rateLimit"',
      '1 calls held back by "fault"',
    ]);
    const later = await world.play(() => Promise.all(all));
    assert.deepEqual([later.value, later.error, later.tookMs], [['a', 'b'], undefined, 1_040]);
    assert.deepEqual(world.left(), []);
  });

  test('gives a failure of the play itself as one', async () => {
    const world = virtualWorld();
    const { error } = await world.play(() => new Promise(() => {}));
    assert.match(String(error), /^Error: Deadlock/);
  });
});
