import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { fallback } from '../fallback/fallback.ts';
import { pipeline } from '../pipeline.ts';
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
