import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { adaptiveLimit } from '../adaptive-limit/adaptive-limit.ts';
import { circuitBreaker } from '../breaker/breaker.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { cache } from '../cache/cache.ts';
import { fallback } from '../fallback/fallback.ts';
import { hedge } from '../hedge/hedge.ts';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { rateLimit } from '../rate-limit/rate-limit.ts';
import { retry } from '../retry/retry.ts';
import { virtualWorld } from '../testing/virtual-world.ts';
import { throttle } from '../throttle/throttle.ts';
import { timeout } from '../timeout/timeout.ts';

/** A result of the function: one that is good, one that predicates refuse, one that they break at. */
class Result {
  readonly kind: 'good' | 'poor' | 'odd';
  readonly isEven: boolean;
  constructor(kind: Result['kind'], n: number) {
    this.kind = kind;
    this.isEven = n % 2 === 0;
  }
}

const isPoor = (result: unknown): boolean => {
  if (!(result instanceof Result)) return false;
  if (result.kind === 'odd') throw new Error('broken predicate');
  return result.kind === 'poor';
};

const POLICIES: Readonly<Record<string, () => Policy>> = {
  retry: () => retry({ maxRetries: 2, delayMs: 7, jitter: 'none', retryIfResult: isPoor }),
  hedge: () => hedge({ delayMs: 11, maxHedges: 2, failureIfResult: isPoor }),
  hedgeFirst: () =>
    hedge({ name: 'first', delayMs: 3, failureWins: true, failureIfResult: isPoor }),
  timeout: () => timeout({ limitMs: 23 }),
  fallback: () =>
    fallback({
      fallbackIfResult: isPoor,
      steps: [
        (own, call) => {
          if (own instanceof Result) throw new Error('cannot');
          return call.remainingMs > 5 ? 'sooner' : Promise.resolve('later');
        },
        { answer: (own) => own, answerIf: (own) => own instanceof Result && own.isEven },
        () => 'instead',
      ],
    }),
  circuitBreaker: () => circuitBreaker({ failureIfResult: isPoor, openMs: 20 }),
  throttle: () => throttle({ refusedIfResult: isPoor }),
  adaptiveLimit: () => adaptiveLimit({ dropIfResult: isPoor }),
  bulkhead: () => bulkhead({ limit: 2, queueLimit: 2, queueTimeoutMs: 9 }),
  rateLimit: () => rateLimit({ limit: 3, intervalMs: 10, maxWaitMs: 20 }),
  cache: () =>
    cache({ ttlMs: 10, staleMs: 15, staleIfErrorMs: 40, staleIfResult: isPoor, maxEntries: 9 }),
};

const run = fc.record({
  tookMs: fc.oneof(fc.constant(-1), fc.constant(0), fc.nat(40)),
  ends: fc.constantFrom('good', 'good', 'good', 'poor', 'poor', 'odd', 'throws'),
});
const call = fc.record({
  afterMs: fc.nat(15),
  leavesMs: fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, fc.nat(50)),
  deadlineMs: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    fc.integer({ min: 1, max: 50 }),
  ),
  cached: fc.boolean(),
});

test('every result of the function is given to a caller, kept, or discarded, and none of these twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.constantFrom(...Object.keys(POLICIES)), { minLength: 1, maxLength: 5 }),
      fc.array(run, { minLength: 8, maxLength: 8 }),
      fc.array(call, { minLength: 1, maxLength: 6 }),
      async (stack, runs, calls) => {
        const { clock, env, left } = virtualWorld();
        const p = pipeline(
          'p',
          stack.map((name) => POLICIES[name]!()),
          env,
        );
        const made: Result[] = [];
        const given = new Set<unknown>();
        const discarded: unknown[] = [];
        let ran = 0;
        const fn = (): Result | Promise<Result> => {
          const { ends, tookMs } = runs[ran % runs.length]!;
          ran += 1;
          const end = () => {
            if (ends === 'throws') throw new Error('down');
            const result = new Result(ends as Result['kind'], made.length);
            made.push(result);
            return result;
          };
          return tookMs < 0 ? end() : clock.sleep(tookMs).then(end);
        };
        for (const { afterMs, cached, deadlineMs, leavesMs } of calls) {
          await clock.advance(afterMs);
          const caller = new AbortController();
          if (leavesMs >= 0) clock.timer(leavesMs, () => caller.abort());
          p.execute(fn, {
            signal: caller.signal,
            deadlineMs,
            cacheKey: cached ? 'k' : undefined,
            discard: (result) => result instanceof Result && discarded.push(result),
          }).then(
            (result) => given.add(result),
            () => {},
          );
        }
        await clock.advance(1_000);
        assert.deepEqual(left(), []);
        const shares = stack.includes('cache');
        for (const result of made) {
          const isGiven = given.has(result);
          const times = Number(isGiven) + discarded.filter((one) => one === result).length;
          const what = `a ${result.kind} one; given: ${isGiven}, seen ${times} times`;
          // A cache keeps what is not poor, and callers share what it gives.
          if (!shares) assert.equal(times, 1, what);
          else if (result.kind === 'poor') assert.ok(times >= 1, what);
        }
      },
    ),
    { numRuns: 20_000 },
  );
});
