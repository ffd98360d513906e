import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import { adaptiveLimit } from '../adaptive-limit/adaptive-limit.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { cache } from '../cache/cache.ts';
import { fallback } from '../fallback/fallback.ts';
import { fault } from '../fault/fault.ts';
import { hedge } from '../hedge/hedge.ts';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { rateLimit } from '../rate-limit/rate-limit.ts';
import { retry } from '../retry/retry.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { timeout } from '../timeout/timeout.ts';

const who = new AsyncLocalStorage<string>();

test('a retry runs in the context of its caller, after an error and after a time-out', async () => {
  const clock = new VirtualClock();
  const seen: Array<string | undefined> = [];
  const p = pipeline('p', [retry({ maxRetries: 2 }), timeout({ limitMs: 50 })], { clock });
  const call = (name: string) =>
    who.run(name, () =>
      p
        .execute(({ attempt }) => {
          seen.push(`${name}: ${who.getStore()}`);
          if (attempt === 1) throw new Error('down');
          return attempt === 2 ? new Promise(() => {}) : who.getStore();
        })
        .then((value) => [value, who.getStore()]),
    );
  const ends = await clock.run(() => Promise.all([call('ann'), call('bob')]));
  assert.deepEqual(ends, [
    ['ann', 'ann'],
    ['bob', 'bob'],
  ]);
  assert.deepEqual(seen.sort(), [...Array(3).fill('ann: ann'), ...Array(3).fill('bob: bob')]);
});

test('a queued call runs in the context of its caller, not of the one that made room', async () => {
  const clock = new VirtualClock();
  const p = pipeline('p', [bulkhead({ limit: 1, queueLimit: 2 })], { clock });
  const run = (name: string) =>
    who.run(name, () => p.execute(() => clock.sleep(10).then(() => who.getStore())));
  const seen = await clock.run(() => Promise.all([run('ann'), run('bob'), run('eve')]));
  assert.deepEqual(seen, ['ann', 'bob', 'eve']);
});

test('a fallback answers in the context of its caller after a time-out', async () => {
  const clock = new VirtualClock();
  const p = pipeline('p', [fallback({ steps: [() => who.getStore()] }), timeout({ limitMs: 50 })], {
    clock,
  });
  const seen = await clock.run(() => who.run('ann', () => p.execute(() => new Promise(() => {}))));
  assert.equal(seen, 'ann');
});

const hangs = () => new Promise<never>(() => {});

/** Policies at which a call is held, and what lets it go on is a timer or the end of another call. */
const HOLDING: Readonly<Record<string, readonly Policy[]>> = {
  'a rate': [rateLimit({ limit: 1, maxWaitMs: 5_000 })],
  'a rate in a store that hangs': [
    rateLimit({ limit: 9, store: { take: hangs }, storeTimeoutMs: 20 }),
  ],
  'an adaptive limit': [adaptiveLimit({ initialLimit: 1, minLimit: 1, queueLimit: 5 })],
  'a cache with a store that hangs': [
    cache({ store: { get: hangs, set: hangs, delete: hangs }, storeTimeoutMs: 20 }),
  ],
  'latency that is put in': [fault({ inject: 'latency', ratio: 1, delayMs: 20, forMs: 1_000 })],
  'a hedge': [hedge({ delayMs: 20 }), fault({ inject: 'hang', ratio: 1, enabled: first() })],
};

for (const [what, policies] of Object.entries(HOLDING)) {
  test(`${what} lets a call go on in the context of its caller`, async () => {
    const clock = new VirtualClock();
    const p = pipeline('p', policies, { clock, registry: undefined });
    const run = (name: string) =>
      who.run(name, () =>
        p.execute(() => clock.sleep(10).then(() => who.getStore()), { cacheKey: name }),
      );
    const seen = await clock.run(() => Promise.all([run('ann'), run('bob')]));
    assert.deepEqual(seen, ['ann', 'bob']);
  });
}

/** True of the first attempt of each of two calls. */
function first(): () => boolean {
  let asked = 0;
  return () => {
    asked += 1;
    return asked <= 2;
  };
}

test('a cache that waits for its store asks in the context of one who still waits', async () => {
  const clock = new VirtualClock();
  const store = { get: () => clock.sleep(20).then(() => undefined), set: hangs, delete: hangs };
  const p = pipeline('p', [cache({ store })], { clock, registry: undefined });
  const seen: unknown[] = [];
  const ann = new AbortController();
  const run = (name: string, options: object) =>
    who.run(name, () =>
      p
        .execute(() => seen.push(who.getStore()), { cacheKey: 'the same', ...options })
        .catch((reason) => reason),
    );
  const calls = [run('ann', { signal: ann.signal }), run('bob', {})];
  ann.abort('gone');
  await clock.run(() => Promise.all(calls));
  assert.deepEqual(seen, ['bob']);
});
