import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { cache } from '../cache/cache.ts';
import { fallback } from '../fallback/fallback.ts';
import { hedge } from '../hedge/hedge.ts';
import { pipeline } from '../pipeline.ts';
import type { Call, ExecuteOptions, Policy } from '../policy.ts';
import { rateLimit } from '../rate-limit/rate-limit.ts';
import { retry } from '../retry/retry.ts';
import { shed } from '../shed/shed.ts';
import { virtualWorld } from '../testing/virtual-world.ts';
import { timeout } from '../timeout/timeout.ts';

/** A place that a call takes on its way in: whoever throws further in must not keep it. */
const place = () => bulkhead({ limit: 1 });

const boom = (): never => {
  throw new Error('boom');
};

describe('what the caller gives to a policy may throw', () => {
  test('a probe that throws ends the call with its error, and no place stays taken', async () => {
    for (const probe of [{ load: boom }, { load: () => 0, begins: boom }]) {
      const seen = await twice([place(), shed({ probe })], async () => 'well');
      assert.deepEqual(seen, { ends: ['Error: boom', 'Error: boom'], runs: 0 });
    }
  });

  test('a probe that throws at the end changes nothing about the answer', async () => {
    const probe = { load: () => 0, ends: boom };
    const seen = await twice([place(), shed({ probe })], async () => 'well');
    assert.deepEqual(seen, { ends: ['well', 'well'], runs: 2 });
  });

  test('a load that is no number refuses nobody', async () => {
    const seen = await twice([shed({ probe: { load: () => Number.NaN } })], async () => 'well');
    assert.deepEqual(seen, { ends: ['well', 'well'], runs: 2 });
  });

  test('a limit that throws ends the attempt, also one that begins from a timer', async () => {
    const limitFor = ({ attempt }: { attempt: number }) => (attempt > 1 ? boom() : undefined);
    const limit = timeout({ limitMs: 50, limitFor });
    const fail = () => Promise.reject(new Error('down'));
    const again = retry({ maxRetries: 1, delayMs: 10 });
    assert.deepEqual(await twice([place(), again, limit], fail), {
      ends: ['Error: boom', 'Error: boom'],
      runs: 2,
    });
  });

  test('a hedge whose predicate throws ends with that error, and sends no more', async () => {
    const discarded: unknown[] = [];
    const policies = [place(), hedge({ delayMs: 20, maxHedges: 3, failureIfResult: boom })];
    const options = { discard: (value: unknown) => discarded.push(value) };
    const seen = await twice(policies, async () => 'first', options);
    assert.deepEqual(seen, { ends: ['Error: boom', 'Error: boom'], runs: 2 });
    assert.deepEqual(discarded, ['first', 'first']);
  });

  test('a hedge whose predicate throws about the second attempt ends the first as well', async () => {
    const { env, clock, left, play } = virtualWorld();
    const failureIfResult = (value: unknown) => (value === 2 ? boom() : false);
    const p = pipeline('p', [hedge({ delayMs: 5, failureIfResult })], env);
    const discarded: unknown[] = [];
    const slow = ({ attempt, signal }: Call) =>
      clock.sleep(attempt === 1 ? 50 : 10, signal).then(() => attempt);
    const discard = (value: unknown) => discarded.push(value);
    const { error, tookMs } = await play(() => p.execute(slow, { discard }));
    assert.deepEqual([String(error), tookMs, discarded, left()], ['Error: boom', 15, [2], []]);
  });
});

describe('what a store answers may be nonsense', () => {
  test('a rate store that does not say whether it has taken one is a store that fails', async () => {
    for (const answer of [undefined, null, {}, 5, { taken: 'yes' }, { taken: true }]) {
      const store = { take: async () => answer as never };
      const world = virtualWorld();
      const p = pipeline('p', [rateLimit({ limit: 1, store })], world.env);
      const { value } = await world.play(() => p.execute(() => 'well'));
      assert.equal(value, 'well', JSON.stringify(answer));
      const failed = world.events.filter(({ type }) => type === 'store-failed');
      assert.equal(failed.length, 1, JSON.stringify(answer));
    }
  });

  test('a cache store that says null has nothing', async () => {
    const store = { get: async () => null as never, set: async () => {}, delete: async () => {} };
    const seen = await twice([place(), cache({ store })], async () => 'well', { cacheKey: 'k' });
    assert.deepEqual(seen, { ends: ['well', 'well'], runs: 1 });
  });
});

describe('what hears of a call may be asynchronous and fail', () => {
  test('a listener, onDegraded and discard that reject end no process', async (t) => {
    const unhandled: unknown[] = [];
    const hear = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', hear);
    t.after(() => process.off('unhandledRejection', hear));
    const { clock, registry, play } = virtualWorld();
    const reject = () => Promise.reject(new Error('nobody waits for this'));
    registry.listen(reject);
    const policies = [fallback({ steps: [() => 'default'] }), timeout({ limitMs: 10 })];
    const p = pipeline('p', policies, { clock, registry, report: reject });
    const options = { onDegraded: reject, discard: reject };
    const { value } = await play(() =>
      p.execute(() => clock.sleep(20).then(() => 'late'), options),
    );
    await clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([value, unhandled], ['default', []]);
  });
});

/** Two calls one after the other: how they ended, and how often the function ran in all. */
async function twice(
  policies: readonly Policy[],
  fn: (call: Call) => unknown,
  options?: ExecuteOptions,
) {
  const { env, clock, left, play } = virtualWorld();
  const p = pipeline('p', policies, env);
  let runs = 0;
  const counted = (call: Call) => {
    runs += 1;
    return fn(call);
  };
  const ends: unknown[] = [];
  for (let i = 0; i < 2; i += 1) {
    const { error, value } = await play(() => p.execute(counted, options));
    ends.push(error === undefined ? value : String(error));
  }
  await clock.advance(1_000);
  if (policies.every(({ kind }) => kind !== 'shed')) assert.deepEqual(left(), []);
  return { ends, runs };
}
