import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { adaptiveLimit } from './adaptive-limit/adaptive-limit.ts';
import { circuitBreaker } from './breaker/breaker.ts';
import { memoryCircuitStore } from './breaker/shared/memory-circuit-store.ts';
import { retryBudget } from './budget/retry-budget.ts';
import { bulkhead } from './bulkhead/bulkhead.ts';
import { cache } from './cache/cache.ts';
import { protect } from './decorator/protect.ts';
import { fallback } from './fallback/fallback.ts';
import { fault } from './fault/fault.ts';
import { hedge } from './hedge/hedge.ts';
import { keyedPipeline } from './keyed/keyed-pipeline.ts';
import { pipeline } from './pipeline.ts';
import type { Policy } from './policy.ts';
import { memoryRateStore } from './rate-limit/memory-rate-store.ts';
import { rateLimit } from './rate-limit/rate-limit.ts';
import { redisCacheStore, redisCircuitStore, redisRateStore } from './redis/index.ts';
import { createRegistry } from './registry.ts';
import { retry } from './retry/retry.ts';
import { eventLoopDelay } from './shed/load-probe.ts';
import { shed } from './shed/shed.ts';
import { seededRandom } from './testing/seeded-random.ts';
import { VirtualClock } from './testing/virtual-clock.ts';
import { throttle } from './throttle/throttle.ts';
import { deadline } from './timeout/deadline.ts';
import { timeout } from './timeout/timeout.ts';

type Make = (options: never) => Policy;

/** Every numeric option of every policy that needs no more than these to stand. */
const POLICIES: Readonly<Record<string, readonly [make: Make, needs: object, numbers: string]>> = {
  retry: [retry as Make, {}, 'maxRetries delayMs factor maxDelayMs maxElapsedMs'],
  timeout: [timeout as Make, { limitMs: 1 }, 'limitMs'],
  deadline: [deadline as Make, { limitMs: 1 }, 'limitMs'],
  circuitBreaker: [
    circuitBreaker as Make,
    {},
    'consecutiveFailures clearIntervalMs openMs openFactor openMaxMs openJitter openResetMs halfOpenPermits successThreshold halfOpenMaxMs',
  ],
  bulkhead: [bulkhead as Make, { limit: 1 }, 'limit queueLimit queueTimeoutMs'],
  hedge: [hedge as Make, {}, 'delayMs maxHedges'],
  rateLimit: [
    rateLimit as Make,
    { limit: 1 },
    'limit intervalMs burst warmUpMs maxWaitMs maxKeys storeTimeoutMs',
  ],
  adaptiveLimit: [
    adaptiveLimit as Make,
    {},
    'initialLimit minLimit maxLimit timeoutMs tolerance probeEvery queueLimit queueTimeoutMs windowMs minSamples',
  ],
  throttle: [throttle as Make, {}, 'k windowMs'],
  shed: [shed as Make, {}, 'until'],
  cache: [
    cache as Make,
    {},
    'ttlMs staleMs staleIfErrorMs errorTtlMs storePauseMs maxEntries maxBytes storeTimeoutMs refreshTimeoutMs maxRefreshes',
  ],
  fault: [fault as Make, { inject: 'error', ratio: 1, forMs: 1 }, 'ratio forMs delayMs jitterMs'],
};

/** Every function, flag and choice of theirs. */
const OTHERS: Readonly<Record<string, string>> = {
  retry: 'retryIf retryIfResult delayHint backoff jitter budget',
  timeout: 'limitFor',
  circuitBreaker: 'trip openHint failureIf ignoreIf failureIfResult observe failureRatio slowCalls',
  bulkhead: 'order',
  hedge: 'failureIfResult failureWins budget quantile',
  rateLimit: 'algorithm store',
  adaptiveLimit: 'algorithm order dropIf dropIfResult shares',
  throttle: 'refusedIf refusedIfResult kFor',
  shed: 'probe bbr from',
  cache:
    'staleIf staleIfResult cacheIf cacheErrorIf sizeOf clone store.get store.set store.delete store.clear',
  fault: 'inject enabled error',
};

/** Infinity says "no limit" where an option allows it; these are numbers nowhere. */
const NONSENSE = [Number.NaN, -1, -Infinity, '5', null, {}, [], true];

describe('options that cannot be', () => {
  for (const [kind, [make, needs, numbers]] of Object.entries(POLICIES)) {
    test(`${kind}: each number refuses what is none, and names itself and the value`, () => {
      for (const option of numbers.split(' ')) {
        for (const value of NONSENSE) {
          const what = `${kind}.${option} = ${String(value)}`;
          assert.throws(
            () => make({ ...needs, [option]: value } as never),
            (error: Error) =>
              error instanceof RangeError && error.message.startsWith(`${kind}.${option} must`),
            what,
          );
        }
      }
    });
  }

  test('no limit is no number where there must be one', () => {
    assert.throws(() => bulkhead({ limit: Infinity }), {
      name: 'RangeError',
      message: 'bulkhead.limit must be a whole number from 1 to 1000000, not Infinity.',
    });
    assert.equal(retry({ maxRetries: Infinity }).options.maxRetries, Infinity);
  });

  for (const [kind, others] of Object.entries(OTHERS)) {
    test(`${kind}: each function, flag and choice refuses what is none, and names itself`, () => {
      const [make, needs] = POLICIES[kind]!;
      for (const name of others.split(' ')) {
        const [option = '', method] = name.split('.');
        const value = method === undefined ? 5 : { get() {}, set() {}, delete() {}, [method]: 5 };
        assert.throws(
          () => make({ ...needs, [option]: value } as never),
          (error: Error) => error.message.startsWith(`${kind}.${name} must`),
          `${kind}.${name}`,
        );
      }
    });
  }

  test('what has to answer at once is neither asynchronous nor a generator: its promise was always true', () => {
    const names = Object.entries(OTHERS).flatMap(([kind, others]) =>
      others.split(' ').map((name) => [kind, name] as const),
    );
    const asked = names.filter(([, name]) =>
      /If|trip|limitFor|Hint|backoff|enabled|sizeOf|clone/.test(name),
    );
    assert.equal(asked.length, 22);
    for (const answer of [async () => true, function* () {}, async function* () {}]) {
      for (const [kind, name] of asked) {
        const [make, needs] = POLICIES[kind]!;
        assert.throws(() => make({ ...needs, [name]: answer } as never), {
          name: 'TypeError',
          message: new RegExp(`^${kind}.${name} must answer at once, `),
        });
      }
      const steps = [{ answer: () => 1, answerIf: answer as never }];
      assert.throws(
        () => fallback({ steps }),
        /^TypeError: fallback.steps\[0\].answerIf must answer/,
      );
      const fallbackIf = answer as never;
      assert.throws(() => fallback({ steps: [() => 1], fallbackIf }), /fallbackIf must answer/);
    }
    assert.equal(fallback({ steps: [async () => 1] }).name, 'fallback', 'a step may take its time');
  });

  for (const [kind, others] of Object.entries({ ...OTHERS, fallback: 'steps' })) {
    test(`${kind}: null is no way to leave an option out`, () => {
      const [make, needs] = POLICIES[kind] ?? [fallback as Make, {}];
      for (const name of others.split(' ').filter((one) => !one.includes('.'))) {
        assert.throws(
          () => make({ ...needs, [name]: null } as never),
          (error: Error) => error.message.startsWith(`${kind}.${name}`),
          `${kind}.${name}`,
        );
      }
    });
  }

  test('what is no object of options names the policy: retry(3) is not three retries', () => {
    const all: Readonly<Record<string, Make>> = {
      ...Object.fromEntries(Object.entries(POLICIES).map(([kind, [make]]) => [kind, make])),
      fallback: fallback as Make,
      retryBudget: retryBudget as never,
    };
    for (const [kind, make] of Object.entries(all)) {
      for (const value of [null, 3, '3', true, [], () => 3]) {
        assert.throws(() => make(value as never), {
          name: 'TypeError',
          message: new RegExp(`^${kind} must be an object of options, not `),
        });
      }
    }
  });

  test('stores, probes and the world of a pipeline', () => {
    const refused: Readonly<Record<string, () => unknown>> = {
      'pipeline.env': () => pipeline('p', [], null as never),
      'pipeline.clock': () => pipeline('p', [], { clock: {} as never }),
      'pipeline.random': () => pipeline('p', [], { random: Math.random as never }),
      'pipeline.report': () => pipeline('p', [], { report: {} as never }),
      'pipeline.registry': () => pipeline('p', [], { registry: null as never }),
      'wrap.fn': () => pipeline('p', [], { registry: undefined }).wrap(5 as never),
      'wrapCall.fn': () => pipeline('p', [], { registry: undefined }).wrapCall(null as never),
      'protect.pipeline': () => protect('p' as never),
      'listen.listener': () => createRegistry().listen(null as never),
      'for.key': () => keyedPipeline('k', [], { registry: undefined }).for(5 as never),
      'keyedPipeline.maxKeys': () => keyedPipeline('k', [], { maxKeys: 0 }),
      'keyedPipeline.idleMs': () => keyedPipeline('k', [], { idleMs: Number.NaN }),
      'memoryRateStore.maxKeys': () => memoryRateStore({ maxKeys: Number.NaN }),
      'memoryRateStore.clock': () => memoryRateStore({ clock: null as never }),
      'memoryCircuitStore.maxCircuits': () => memoryCircuitStore({ maxCircuits: 0.5 }),
      'memoryCircuitStore.clock': () => memoryCircuitStore({ clock: 5 as never }),
      'redisRateStore.client': () => redisRateStore(undefined as never),
      'redisCircuitStore.client': () => redisCircuitStore({} as never),
      'redisCacheStore.client': () => redisCacheStore('redis' as never),
      'eventLoopDelay.everyMs': () => eventLoopDelay(new VirtualClock(), 0),
      'eventLoopDelay.clock': () => eventLoopDelay(undefined as never),
      'seededRandom.seed': () => seededRandom('5' as never),
      'jumpWall.byMs': () => new VirtualClock().jumpWall(Number.NaN),
      'circuitBreaker.shared': () => circuitBreaker({ shared: null as never }),
      'circuitBreaker.openMs': () => circuitBreaker({ openMs: 5n as never }),
      'circuitBreaker.shared.intervalMs': () =>
        circuitBreaker({ shared: { store: memoryCircuitStore(), intervalMs: 5n as never } }),
    };
    for (const [option, make] of Object.entries(refused)) {
      assert.throws(make, (error: Error) => {
        assert.ok(error instanceof RangeError || error instanceof TypeError, `${option}: ${error}`);
        assert.ok(error.message.startsWith(`${option} must`), `${option}: ${error.message}`);
        return true;
      });
    }
  });

  test('a function that cannot make the policies of a key rejects the call, and throws nothing', async () => {
    for (const policies of [() => 5, () => [null], () => [retry({ maxRetries: -1 })]]) {
      const family = keyedPipeline('k', policies as never, { registry: undefined });
      const call = family.execute(() => 1, { key: 'a' });
      await assert.rejects(call, /must be/);
    }
  });

  test('a virtual clock goes neither back nor nowhere', async () => {
    for (const ms of [-1, Number.NaN, Infinity, '5' as never]) {
      await assert.rejects(new VirtualClock().advance(ms), /^RangeError: advance\.ms must/);
    }
    const clock = new VirtualClock();
    const fired: number[] = [];
    for (const ms of [Number.NaN, -1, '5' as never]) clock.timer(ms, () => fired.push(clock.now()));
    await clock.advance(10);
    assert.deepEqual(fired, [0, 0, 5]);
  });

  test('budgets, windows and nested rules are checked like the rest', () => {
    const ratio = { ratio: 0.5, minimumCalls: 5, windowMs: 1_000 };
    const of = {
      jitter: (jitter: object) => retry({ jitter: jitter as never }),
      failureRatio: (rule: object) => circuitBreaker({ failureRatio: { ...ratio, ...rule } }),
      slowCalls: (rule: object) =>
        circuitBreaker({ slowCalls: { ...ratio, slowCallMs: 5, ...rule } }),
      shared: (shared: object) =>
        circuitBreaker({ shared: { store: memoryCircuitStore(), ...shared } }),
      quantile: (quantile: object) => hedge({ quantile: { quantile: 0.9, ...quantile } }),
      step: (step: unknown) => fallback({ steps: [() => 1, step as never] }),
    };
    const nested: Readonly<Record<string, () => unknown>> = {
      'retryBudget.name': () => retryBudget({ name: '' }),
      'retryBudget.ratio': () => retryBudget({ ratio: 11 }),
      'retryBudget.windowMs': () => retryBudget({ windowMs: Number.NaN }),
      'retryBudget.minPerSecond': () => retryBudget({ minPerSecond: '1' as never }),
      'retry.budget': () => retry({ budget: null as never }),
      'retry.jitter.ratio': () => of.jitter({ ratio: 2 }),
      'retry.jitter.addedMs': () => of.jitter({ addedMs: -1 }),
      'retry.jitter': () => retry({ jitter: null as never }),
      'retry.maxDelayMs': () => retry({ delayMs: 500, maxDelayMs: 100 }),
      'circuitBreaker.failureRatio.ratio': () => of.failureRatio({ ratio: 0 }),
      'circuitBreaker.failureRatio.windowMs': () => of.failureRatio({ windowMs: 9 }),
      'circuitBreaker.failureRatio.minimumCalls': () => of.failureRatio({ minimumCalls: 0 }),
      'circuitBreaker.failureRatio.windowCalls': () => of.failureRatio({ windowCalls: 0 }),
      'circuitBreaker.slowCalls.minimumCalls': () =>
        of.slowCalls({ minimumCalls: 6, windowCalls: 5, windowMs: undefined }),
      'circuitBreaker.slowCalls.slowCallMs': () => of.slowCalls({ slowCallMs: 0 }),
      'circuitBreaker.openMaxMs': () => circuitBreaker({ openMs: 10, openMaxMs: 9 }),
      'circuitBreaker.initial.state': () => circuitBreaker({ initial: null as never }),
      'circuitBreaker.shared.store.exchange': () => of.shared({ store: {} }),
      'circuitBreaker.shared.node': () => of.shared({ node: '' }),
      'circuitBreaker.shared.circuit': () => of.shared({ circuit: '' }),
      'circuitBreaker.shared.quorumNodes': () => of.shared({ quorumNodes: 0 }),
      'circuitBreaker.shared.quorumRatio': () => of.shared({ quorumRatio: 0 }),
      'circuitBreaker.shared.intervalMs': () => of.shared({ intervalMs: 9 }),
      'circuitBreaker.shared.leaseMs': () => of.shared({ intervalMs: 1_000, leaseMs: 2_999 }),
      'circuitBreaker.shared.storeTimeoutMs': () => of.shared({ storeTimeoutMs: 0 }),
      'hedge.quantile.quantile': () => of.quantile({ quantile: 2 }),
      'hedge.quantile.minimumCalls': () => of.quantile({ minimumCalls: 0 }),
      'hedge.quantile.windowMs': () => of.quantile({ windowMs: 99 }),
      'hedge.quantile.minDelayMs': () => of.quantile({ minDelayMs: -1 }),
      'hedge.quantile.maxDelayMs': () => of.quantile({ minDelayMs: 5, maxDelayMs: 4 }),
      'hedge.delayMs': () => hedge({ delayMs: 5, quantile: { quantile: 0.9 } }),
      'rateLimit.limit': () => rateLimit({ limit: 10_001, algorithm: 'sliding-window' }),
      'rateLimit.warmUpMs': () => rateLimit({ limit: 1, warmUpMs: 1, algorithm: 'sliding-window' }),
      'rateLimit.store': () => rateLimit({ limit: 1, store: {} as never }),
      'adaptiveLimit.maxLimit': () => adaptiveLimit({ minLimit: 30, maxLimit: 29 }),
      'adaptiveLimit.initialLimit': () => adaptiveLimit({ initialLimit: 201 }),
      'adaptiveLimit.shares.sheddable': () => adaptiveLimit({ shares: { sheddable: 2 } }),
      'adaptiveLimit.shares': () => adaptiveLimit({ shares: { critical: 0.9, sheddable: 0.2 } }),
      'throttle.kFor.critical': () => throttle({ kFor: { critical: 0 } }),
      'shed.from.critical': () => shed({ from: { critical: Number.NaN } }),
      'cache.sizeOf': () => cache({ maxBytes: 5 }),
      'fallback.name': () => fallback({ name: '', steps: [() => 1] }),
      'fallback.steps': () => fallback({ steps: Array.from({ length: 21 }, () => () => 1) }),
      'fallback.fallbackIf': () => fallback({ steps: [() => 1], fallbackIf: 5 as never }),
      'fallback.steps[1]': () => of.step(null),
      'fallback.steps[1].kind': () => of.step({ kind: 'guessed', answer: () => 1 }),
      'fallback.steps[1].answer': () => of.step({}),
      'fallback.steps[1].answerIf': () => of.step({ answer: () => 1, answerIf: 5 }),
      'fault.forMs': () => fault({ inject: 'error', ratio: 1, forMs: Infinity }),
      'fault.delayMs': () => fault({ inject: 'latency', ratio: 1 } as never),
      'fault.result': () => fault({ inject: 'result', ratio: 1 } as never),
    };
    for (const [option, make] of Object.entries(nested)) {
      assert.throws(make, (error: Error) => {
        assert.ok(error instanceof RangeError || error instanceof TypeError, `${option}: ${error}`);
        assert.ok(
          error.message.startsWith(`${option} must`),
          `${option} is not in: ${error.message}`,
        );
        return true;
      });
    }
  });

  test('the largest and the least that are allowed stand', () => {
    const stand: readonly Policy[] = [
      retry({ delayMs: 0, maxDelayMs: 0, jitter: { ratio: 1 }, factor: 1, maxElapsedMs: Infinity }),
      retry({ jitter: { addedMs: 0 }, maxRetries: 0, maxDelayMs: 2 ** 31 - 1 }),
      timeout({ limitMs: 1 }),
      circuitBreaker({
        failureRatio: { ratio: 1, minimumCalls: 5, windowCalls: 5 },
        openMs: 10,
        openMaxMs: 10,
        openJitter: 1,
      }),
      hedge({ quantile: { quantile: 0.5, minDelayMs: 5, maxDelayMs: 5 } }),
      rateLimit({ limit: 10_000, algorithm: 'sliding-window' }),
      rateLimit({ limit: 1, store: { take: async () => ({}) as never } }),
      adaptiveLimit({ shares: { critical: 0.5, sheddable: 0.5 }, initialLimit: 200 }),
      shed({ from: { sheddable: 100, 'critical-plus': 250 } }),
      bulkhead({ limit: 1, queueTimeoutMs: Infinity }),
      cache({ maxBytes: 5, sizeOf: () => 1 }),
      fallback({ steps: Array.from({ length: 20 }, () => () => 1) }),
      fault({ inject: 'latency', ratio: 0, delayMs: 0, forMs: 86_400_000 }),
    ];
    assert.equal(stand.length, 13);
  });

  test('each part of what a circuit was in an earlier life', () => {
    const counts = {
      requests: 0,
      totalSuccesses: 0,
      totalFailures: 0,
      consecutiveSuccesses: 0,
      consecutiveFailures: 0,
    };
    const states = 'closed open half-open forced-open forced-closed disabled observe'.split(' ');
    const given = (changed: object) =>
      circuitBreaker({
        initial: {
          state: 'closed',
          counts,
          retryAfterMs: 0,
          opened: 0,
          why: '',
          ...changed,
        } as never,
      });
    for (const state of states) assert.ok(given({ state }));
    for (const observed of states.slice(0, 3)) assert.ok(given({ state: 'observe', observed }));
    const wrong: Record<string, object> = {
      observed: { observed: 'disabled' },
      counts: { counts: undefined },
    };
    for (const part of ['state', 'retryAfterMs', 'expiresInMs', 'opened', 'openings']) {
      wrong[part] = { [part]: -1 };
    }
    for (const count of Object.keys(counts)) {
      wrong[`counts.${count}`] = { counts: { ...counts, [count]: '1' } };
    }
    for (const [part, changed] of Object.entries(wrong)) {
      assert.throws(() => given(changed), {
        name: 'RangeError',
        message: new RegExp(`^circuitBreaker\\.initial\\.${part}(\\.requests)? must`),
      });
    }
  });

  test('lists that are none, and what is no policy in them', () => {
    assert.throws(() => pipeline('p', null as never), {
      name: 'TypeError',
      message: 'pipeline.policies must be a list of policies, not null.',
    });
    assert.throws(() => pipeline('p', [retry(), null] as never), {
      name: 'TypeError',
      message: 'pipeline.policies[1] must be a policy, such as retry() makes one, not null.',
    });
  });

  test('names that are none, functions that are none', () => {
    for (const [kind, [make, needs]] of Object.entries(POLICIES)) {
      for (const name of ['', 5, null]) {
        const refused = () => make({ ...needs, name } as never);
        assert.throws(refused, { name: 'RangeError', message: new RegExp(`^${kind}\\.name must`) });
      }
    }
    assert.throws(() => fallback({ steps: ['default'] as never }), TypeError);
    assert.throws(() => pipeline(5 as never, []), /pipeline\.name/);
  });
});
