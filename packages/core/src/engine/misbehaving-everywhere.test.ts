import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adaptiveLimit } from '../adaptive-limit/adaptive-limit.ts';
import { circuitBreaker } from '../breaker/breaker.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { cache } from '../cache/cache.ts';
import { fallback } from '../fallback/fallback.ts';
import { fault } from '../fault/fault.ts';
import { hedge } from '../hedge/hedge.ts';
import { pipeline } from '../pipeline.ts';
import type { Call, ExecuteOptions, Policy, PolicyKind } from '../policy.ts';
import { rateLimit } from '../rate-limit/rate-limit.ts';
import { retry } from '../retry/retry.ts';
import { shed } from '../shed/shed.ts';
import { virtualWorld } from '../testing/virtual-world.ts';
import { throttle } from '../throttle/throttle.ts';
import { deadline } from '../timeout/deadline.ts';
import { timeout } from '../timeout/timeout.ts';

/** One of each kind, with little room: what a call keeps, the next one misses. */
const TIGHT: Readonly<Record<PolicyKind, () => Policy>> = {
  retry: () => retry({ maxRetries: 1, delayMs: 1 }),
  timeout: () => timeout({ limitMs: 100 }),
  deadline: () => deadline({ limitMs: 100 }),
  circuitBreaker: () => circuitBreaker({ consecutiveFailures: 100 }),
  bulkhead: () => bulkhead({ limit: 1 }),
  rateLimit: () => rateLimit({ limit: 100 }),
  adaptiveLimit: () => adaptiveLimit({ initialLimit: 1, minLimit: 1, maxLimit: 1 }),
  throttle: () => throttle({ refusedIf: () => false }),
  shed: () => shed({ probe: { load: () => 0 } }),
  hedge: () => hedge({ delayMs: 1_000 }),
  fallback: () => fallback({ steps: [() => 'default'] }),
  cache: () => cache({ ttlMs: 1 }),
  fault: () => fault({ inject: 'latency', delayMs: 1, ratio: 1 }),
};

/** What calls back `times` times, with a failure last. */
const thenable = (times: number) => ({
  // biome-ignore lint/suspicious/noThenProperty: a thenable is what this is about.
  then(resolve: (value: string) => void, reject: (error: Error) => void) {
    for (let i = 0; i < times; i += 1) resolve(i === 0 ? 'well' : `again ${i}`);
    reject(new Error('after all'));
  },
});

interface Oddity {
  readonly fn: (call: Call) => unknown;
  /** How the call ends where nothing but the policy at hand is in its way. */
  readonly end: string;
  readonly runs: number;
  readonly options?: ExecuteOptions;
}

const bug = () => new TypeError('x is not a function');

const ODD: Readonly<Record<string, () => Oddity>> = {
  'throws at once': () => ({
    fn: () => {
      throw bug();
    },
    end: 'TypeError: x is not a function',
    runs: 1,
  }),
  'returns no promise': () => ({ fn: () => 'well', end: 'well', runs: 1 }),
  'returns nothing': () => ({ fn: () => undefined, end: 'undefined', runs: 1 }),
  'calls back twice': () => ({ fn: () => thenable(2), end: 'well', runs: 1 }),
  'has a then that cannot be read': () => ({
    fn: () => ({
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what this is about.
      get then(): never {
        throw bug();
      },
    }),
    end: 'TypeError: x is not a function',
    runs: 1,
  }),
  'is not called after an abort': () => ({
    fn: () => 'never',
    end: 'gone',
    runs: 0,
    options: { signal: AbortSignal.abort('gone') },
  }),
};

for (const [kind, make] of Object.entries(TIGHT)) {
  test(`${kind}: a function that misbehaves settles its call once and leaves nothing`, async () => {
    for (const [name, odd] of Object.entries(ODD)) {
      const { clock, env, left, play } = virtualWorld();
      const p = pipeline('p', [make()], env);
      // The second call takes the first one's operation: what is left in that would show.
      for (let i = 0; i < 2; i += 1) {
        const { end, fn, options, runs } = odd();
        const seen = await called(play, p, fn, { cacheKey: 'k', ...options });
        assert.deepEqual(seen, { end, runs, settled: 1 }, `${kind}, one that ${name}`);
        await clock.advance(10_000);
      }
      assert.deepEqual(left(), [], `${kind}, one that ${name}`);
    }
  });

  test(`${kind}: a function that never settles is left behind by the caller’s deadline`, async () => {
    const { clock, env, left, play } = virtualWorld();
    const p = pipeline('p', [make()], env);
    for (let i = 0; i < 2; i += 1) {
      const never = () => new Promise(() => {});
      const { end, settled } = await called(play, p, never, { cacheKey: 'k', deadlineMs: 50 });
      assert.deepEqual(
        [end, settled],
        ['DeadlineExceededError: The caller of "p" gave it 50 ms, and they are over.', 1],
      );
    }
    await clock.advance(10_000);
    assert.deepEqual(left(), []);
  });
}

async function called(
  play: ReturnType<typeof virtualWorld>['play'],
  p: ReturnType<typeof pipeline>,
  fn: (call: Call) => unknown,
  options: ExecuteOptions,
) {
  let runs = 0;
  let settled = 0;
  const { error, value } = await play(() =>
    p
      .execute((call) => {
        runs += 1;
        return fn(call);
      }, options)
      .finally(() => {
        settled += 1;
      }),
  );
  return { end: String(error ?? value), runs, settled };
}
