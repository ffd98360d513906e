import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { adaptiveLimit } from './adaptive-limit/adaptive-limit.ts';
import { circuitBreaker } from './breaker/breaker.ts';
import { memoryCircuitStore } from './breaker/shared/memory-circuit-store.ts';
import { retryBudget } from './budget/retry-budget.ts';
import { bulkhead } from './bulkhead/bulkhead.ts';
import { cache } from './cache/cache.ts';
import { checkOptions } from './check.ts';
import { fallback } from './fallback/fallback.ts';
import { fault } from './fault/fault.ts';
import { hedge } from './hedge/hedge.ts';
import { keyedPipeline } from './keyed/keyed-pipeline.ts';
import { pipeline } from './pipeline.ts';
import { rateLimit } from './rate-limit/rate-limit.ts';
import { redisCacheStore, redisCircuitStore, redisRateStore } from './redis/index.ts';
import { createRegistry } from './registry.ts';
import { retry } from './retry/retry.ts';
import { shed } from './shed/shed.ts';
import { standard } from './standard/standard.ts';
import { virtualWorld } from './testing/virtual-world.ts';
import { throttle } from './throttle/throttle.ts';
import { deadline } from './timeout/deadline.ts';
import { timeout } from './timeout/timeout.ts';

type Options = Readonly<Record<string, unknown>>;

const registry = createRegistry();
pipeline('p', [circuitBreaker()], { registry });
const client = { eval: async () => null };
const ratio = { ratio: 0.5, minimumCalls: 1, windowCalls: 9 };
const shared = { store: memoryCircuitStore() };

/** By what the error calls them: what takes options, some that it cannot do without, and all names. */
const MAKERS: Readonly<
  Record<string, readonly [make: (options: never) => unknown, needs: Options, names: string]>
> = {
  retry: [
    retry,
    {},
    'name, maxRetries, backoff, delayMs, factor, maxDelayMs, jitter, maxElapsedMs, retryIf, retryIfResult, delayHint, budget',
  ],
  'retry.jitter': [(jitter: never) => retry({ jitter }), { ratio: 0.1 }, 'ratio, addedMs'],
  timeout: [timeout, { limitMs: 1 }, 'name, limitFor, limitMs'],
  deadline: [deadline, { limitMs: 1 }, 'name, limitMs'],
  circuitBreaker: [
    circuitBreaker,
    {},
    'name, consecutiveFailures, failureRatio, slowCalls, trip, clearIntervalMs, openMs, openFactor, openMaxMs, openJitter, openResetMs, openHint, halfOpenPermits, halfOpenMaxMs, failureIf, ignoreIf, failureIfResult, observe, initial, shared, successThreshold',
  ],
  'circuitBreaker.failureRatio': [
    (failureRatio: never) => circuitBreaker({ failureRatio }),
    ratio,
    'ratio, minimumCalls, windowMs, windowCalls',
  ],
  'circuitBreaker.slowCalls': [
    (slowCalls: never) => circuitBreaker({ slowCalls }),
    { ...ratio, slowCallMs: 5 },
    'ratio, minimumCalls, windowMs, windowCalls, slowCallMs',
  ],
  'circuitBreaker.shared': [
    (agreed: never) => circuitBreaker({ shared: agreed }),
    shared,
    'quorumNodes, quorumRatio, intervalMs, leaseMs, storeTimeoutMs, store, node, circuit',
  ],
  bulkhead: [bulkhead, { limit: 1 }, 'name, queueLimit, order, queueTimeoutMs, limit'],
  rateLimit: [
    rateLimit,
    { limit: 1 },
    'name, intervalMs, algorithm, warmUpMs, maxWaitMs, maxKeys, store, storeTimeoutMs, limit, burst',
  ],
  adaptiveLimit: [
    adaptiveLimit,
    {},
    'name, algorithm, initialLimit, minLimit, maxLimit, timeoutMs, tolerance, probeEvery, queueLimit, order, queueTimeoutMs, shares, windowMs, minSamples, dropIf, dropIfResult',
  ],
  'adaptiveLimit.shares': [
    (shares: never) => adaptiveLimit({ shares }),
    { critical: 0.5 },
    'critical-plus, critical, sheddable-plus, sheddable',
  ],
  throttle: [throttle, {}, 'name, k, windowMs, refusedIf, refusedIfResult, kFor'],
  'throttle.kFor': [
    (kFor: never) => throttle({ kFor }),
    { critical: 2 },
    'critical-plus, critical, sheddable-plus, sheddable',
  ],
  shed: [shed, {}, 'name, probe, from, until, bbr'],
  'shed.from': [
    (from: never) => shed({ from }),
    { critical: 200 },
    'critical-plus, critical, sheddable-plus, sheddable',
  ],
  hedge: [hedge, {}, 'name, delayMs, quantile, maxHedges, budget, failureIfResult, failureWins'],
  'hedge.quantile': [
    (quantile: never) => hedge({ quantile }),
    { quantile: 0.9 },
    'quantile, minimumCalls, windowMs, minDelayMs, maxDelayMs',
  ],
  fallback: [fallback, { steps: [() => 1] }, 'name, fallbackIf, fallbackIfResult, steps'],
  'fallback.steps[0]': [
    (step: never) => fallback({ steps: [step] }),
    { answer: () => 1 },
    'kind, answer, answerIf',
  ],
  cache: [
    cache,
    {},
    'name, ttlMs, staleMs, staleIfErrorMs, staleIf, staleIfResult, cacheIf, errorTtlMs, cacheErrorIf, maxEntries, maxBytes, sizeOf, clone, store, storeTimeoutMs, storePauseMs, refreshTimeoutMs, maxRefreshes',
  ],
  fault: [
    fault,
    { inject: 'hang', ratio: 1 },
    'name, enabled, forMs, error, delayMs, jitterMs, result, inject, ratio',
  ],
  retryBudget: [retryBudget, {}, 'name, ratio, minPerSecond, windowMs'],
  standard: [
    standard,
    {},
    'totalMs, attemptMs, circuitBreaker, bulkhead, fallback, shed, rateLimit, retry, budget',
  ],
  'pipeline.env': [
    (env: never) => pipeline('q', [], env),
    { registry: undefined },
    'clock, random, report, registry',
  ],
  keyedPipeline: [
    (env: never) => keyedPipeline('q', [], env),
    { registry: undefined },
    'clock, random, report, registry, idleMs, maxKeys',
  ],
  'force.options': [
    (options: never) => registry.force('p', 'forced-open', options),
    { forMs: 5 },
    'forMs, key',
  ],
  redisCacheStore: [
    (options: never) => redisCacheStore(client, options),
    {},
    'prefix, serialize, parse',
  ],
  redisCircuitStore: [(options: never) => redisCircuitStore(client, options), {}, 'prefix'],
  redisRateStore: [(options: never) => redisRateStore(client, options), {}, 'prefix'],
  virtualWorld: [virtualWorld, {}, 'seed'],
};

describe('a name that is no option', () => {
  for (const [of, [make, needs, names]] of Object.entries(MAKERS)) {
    test(`${of} refuses it, and says which there are`, () => {
      assert.throws(() => make({ ...needs, zzz: 1 } as never), {
        name: 'TypeError',
        message: `${of}.zzz is no option. There are: ${names}.`,
      });
    });

    test(`${of} takes what is undefined for what was not given`, () => {
      assert.doesNotThrow(() => make({ ...needs, zzz: undefined } as never));
    });

    test(`${of} has its default for each that is undefined`, () => {
      const without = optionsOf(make(needs as never));
      // Of a jitter one part or the other is given, and says which it is by being there.
      if (of === 'retry.jitter') return;
      for (const name of names.split(', ').filter((each) => !(each in needs))) {
        const given = { ...needs, [name]: undefined };
        const made = optionsOf(make(given as never));
        // Parts of an option are kept as they were given.
        if (!of.includes('.')) assert.deepEqual(made, without, name);
      }
    });
  }

  test('gets the one that was meant', () => {
    const wrong = Object.entries({
      nam: 'name',
      consecutiveFailure: 'consecutiveFailures',
      consecutive_failures: 'consecutiveFailures',
      conecutivFailures: 'consecutiveFailures',
      threshold: 'successThreshold',
      failureTreshold: 'failureIfResult',
      OPENMS: 'openMs',
      halfOpen: 'halfOpenMaxMs',
    }).filter(([given, known]) => {
      const said = messageOf(() => circuitBreaker({ [given]: 5 } as never));
      return !said.startsWith(`circuitBreaker.${given} is no option; did you mean ${known}? There`);
    });
    assert.deepEqual(wrong, []);
  });

  test('gets the first of two that are as like it', () => {
    assert.throws(
      () => checkOptions('x', { 'limit of c': 1 }, { 'limit of a': 0, 'limit of b': 0 } as never),
      /did you mean limit of a\?/,
    );
  });

  test('gets no other that is not like it', () => {
    for (const name of ['volume', 'resetTimeout', 'x']) {
      assert.match(
        messageOf(() => circuitBreaker({ [name]: 5 } as never)),
        new RegExp(`^circuitBreaker\\.${name} is no option\\. There`),
      );
    }
  });

  test('is one that every object has, too', () => {
    assert.throws(() => retry({ toString: () => 'a' } as never), /^TypeError: retry\.toString is/);
  });

  test('is not looked for in what the options inherit', () => {
    const inherited = Object.assign(Object.create({ zzz: 1 }), { maxRetries: 1 });
    assert.doesNotThrow(() => retry(inherited));
    class Options {
      maxRetries = 1;
      describe() {}
    }
    assert.doesNotThrow(() => retry(new Options()));
  });

  test('is found beside one that is undefined', () => {
    assert.throws(
      () => checkOptions('x', { a: undefined, b: 1 }, { a: 0 } as never),
      /^TypeError: x\.b is no option\. There are: a\.$/,
    );
  });
});

/** What a policy goes by; nothing of what is no policy. */
const optionsOf = (made: unknown) => (made as { readonly options?: object } | undefined)?.options;

function messageOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
}
