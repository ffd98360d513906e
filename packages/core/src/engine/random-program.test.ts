import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { adaptiveLimit } from '../adaptive-limit/adaptive-limit.ts';
import { circuitBreaker } from '../breaker/breaker.ts';
import { type RetryBudget, retryBudget } from '../budget/retry-budget.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { QUEUE_ORDERS } from '../bulkhead/gate.ts';
import { cache } from '../cache/cache.ts';
import { fallback } from '../fallback/fallback.ts';
import { fault } from '../fault/fault.ts';
import { hedge } from '../hedge/hedge.ts';
import { type Pipeline, pipeline } from '../pipeline.ts';
import {
  type Call,
  CRITICALITIES,
  type ExecuteOptions,
  type Policy,
  type PolicyKind,
} from '../policy.ts';
import type { Random } from '../random.ts';
import { memoryRateStore } from '../rate-limit/memory-rate-store.ts';
import { rateLimit } from '../rate-limit/rate-limit.ts';
import type { RateStore } from '../rate-limit/rate-store.ts';
import { createRegistry, type Registry } from '../registry.ts';
import { retry } from '../retry/retry.ts';
import { shed } from '../shed/shed.ts';
import { record } from '../testing/record.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { throttle } from '../throttle/throttle.ts';
import { deadline } from '../timeout/deadline.ts';
import { timeout } from '../timeout/timeout.ts';

/** Fewer under mutation (`npm run mutate`), where every survivor plays them all. */
const SEEDS = Number(process.env.HOLDFAST_SEEDS ?? 1_000);
const CALLS = 25;
/** Every call is given at most this long: a function that never ends may be behind no limit at all. */
const PATIENCE_MS = 4_000;

test(`${SEEDS} random programs keep every promise of the engine`, async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) await playProgram(seed);
});

test('a program of the same seed plays out the same, event by event', async () => {
  for (const seed of [3, 141, 59]) {
    const plain = (events: unknown) => JSON.stringify(events).replace(/"call":\d+/g, '');
    assert.equal(plain(await playProgram(seed)), plain(await playProgram(seed)), `seed ${seed}`);
  }
});

/** Plays a random pipeline under random calls, and checks what must hold whatever they are. */
async function playProgram(seed: number) {
  const random = seededRandom(seed);
  const clock = new VirtualClock();
  /** Of all policies that it ever had. */
  const kinds = new Set<PolicyKind>();
  const registry = createRegistry();
  const { events, listener } = record();
  const p = pipeline(`seed ${seed}`, randomPolicies(random, clock, kinds), {
    clock,
    random,
    registry,
    report: listener,
  });
  const explained = p.explain();
  const swaps = random.next() < 0.3;

  const callers: AbortController[] = [];
  const settled: number[] = [];
  const runs: number[] = [];
  const tookMs: number[] = [];
  /** Results that the function made, and those that somebody got: the caller, or `discard`. */
  const results = { made: 0, got: 0 };
  const all = Array.from({ length: CALLS }, async (_, n) => {
    await clock.sleep(pick(random, 2_000));
    const options = {
      ...randomOptions(random, clock, callers),
      discard: (value: unknown) => count(value, results),
    };
    const behave = randomBehaviour(random, clock);
    const beganMs = clock.now();
    runs[n] = 0;
    await p
      .execute((call) => {
        runs[n]! += 1;
        // Attempts that a fault stood for are counted, and a cache's renewal begins anew.
        if (!kinds.has('fault') && !kinds.has('cache')) {
          assert.equal(call.attempt, runs[n], 'attempts count from 1');
        }
        return made(behave(call), results);
      }, options)
      .then(
        (value) => count(value, results),
        () => {},
      );
    settled.push(n);
    tookMs[n] = clock.now() - beganMs;
  });
  const meddling = swaps ? meddle(p, random, clock, registry, kinds) : undefined;
  await clock.advance(20_000);
  await Promise.all([...all, meddling]);

  const about = `seed ${seed}: ${explained.words.join(' ')}`;
  assert.equal(settled.length, CALLS, about);
  assert.equal(events.filter(({ type }) => type === 'call').length, CALLS, about);
  const attempts = events.filter(({ type }) => type === 'attempt').length;
  const runsInAll = runs.reduce((a, b) => a + b);
  // A fault stands for the function, and counts as an attempt of it.
  if (kinds.has('fault')) assert.ok(attempts >= runsInAll, `each run is reported, ${about}`);
  else assert.equal(attempts, runsInAll, `each run is reported once, ${about}`);
  assert.equal(clock.pendingTimers, 0, `no timer is left, ${about}`);
  for (const { signal } of callers) {
    assert.equal(getEventListeners(signal, 'abort').length, 0, `no listener is left, ${about}`);
  }
  // A cache gives one result to many, and keeps what is its own.
  if (!kinds.has('cache')) {
    assert.equal(results.got, results.made, `each result is returned or discarded, ${about}`);
  }
  const { inFlight, policies } = p.inspect();
  assert.equal(inFlight, 0, about);
  for (const { bulkhead: gate, limit, rate } of policies) {
    if (gate) assert.deepEqual(gate, { active: 0, queued: 0 }, about);
    if (limit) assert.deepEqual([limit.active, limit.queued], [0, 0], about);
    if (rate) assert.equal(rate.waiting, 0, about);
  }
  if (!swaps) {
    assert.ok(Math.max(...runs) <= explained.maxAttempts, `${Math.max(...runs)} runs, ${about}`);
    assert.ok(Math.max(...tookMs) <= explained.worstCaseMs, `${Math.max(...tookMs)} ms, ${about}`);
  }
  await checkNoCircuitIsStuck(p, clock, about);
  return events;
}

/** Counts what the function returns, once it does. */
function made(returned: unknown, results: { made: number }): unknown {
  if (!(returned instanceof Promise)) {
    results.made += 1;
    return returned;
  }
  return returned.then((value) => {
    results.made += 1;
    return value;
  });
}

/** Counts what somebody got, unless a fallback or a fault had made it. */
function count(value: unknown, results: { got: number }): void {
  if (!['cached', 'default', 'made up'].includes(String(value))) results.got += 1;
}

/** Whatever happened, a dependency that is well again is used again after a while. */
async function checkNoCircuitIsStuck(p: Pipeline, clock: VirtualClock, about: string) {
  for (let i = 0; i < 8; i += 1) {
    await clock.advance(400_000);
    await clock.run(() => p.execute(async () => 'well').catch(() => {}));
  }
  for (const { circuit } of p.inspect().policies) {
    if (circuit) assert.equal(circuit.state, 'closed', about);
  }
}

function randomPolicies(
  random: Random,
  clock: VirtualClock,
  kinds: Set<PolicyKind>,
): readonly Policy[] {
  const count = pick(random, 6);
  const budget = retryBudget({ minPerSecond: 1, windowMs: 1_000 });
  const policies = Array.from({ length: count }, (_, i) =>
    randomPolicy(random, `${i}`, budget, clock),
  );
  for (const { kind } of policies) kinds.add(kind);
  return policies;
}

/** What `randomBehaviour` has for a result that is not to be content with. */
const isAgain = (value: unknown) => value === 'again';

function randomPolicy(
  random: Random,
  name: string,
  budget: RetryBudget,
  clock: VirtualClock,
): Policy {
  switch (pick(random, 13)) {
    case 0:
      return retry({
        name,
        maxRetries: pick(random, 4),
        delayMs: pick(random, 300),
        retryIfResult: isAgain,
        ...(random.next() < 0.3 ? { maxElapsedMs: 500 } : undefined),
        ...(random.next() < 0.3 ? { delayHint: () => 70 } : undefined),
        ...(random.next() < 0.3 ? { budget } : undefined),
        ...(random.next() < 0.3 ? { backoff: 'decorrelated', maxDelayMs: 900 } : undefined),
      });
    case 1:
      return timeout({ name, limitMs: 1 + pick(random, 300) });
    case 2:
      return deadline({ name, limitMs: 1 + pick(random, 1_500) });
    case 3:
      return circuitBreaker({
        name,
        consecutiveFailures: 1 + pick(random, 4),
        openMs: 1 + pick(random, 500),
        halfOpenPermits: 1 + pick(random, 3),
        successThreshold: 1 + pick(random, 3),
        clearIntervalMs: pick(random, 2) * 300,
        failureRatio: { ratio: 0.5, minimumCalls: 5, windowMs: 1_000 },
      });
    case 4:
      return bulkhead({
        name,
        limit: 1 + pick(random, 3),
        queueLimit: pick(random, 4),
        queueTimeoutMs: 1 + pick(random, 400),
        order: QUEUE_ORDERS[pick(random, 3)]!,
      });
    case 5:
      return rateLimit({
        name,
        limit: 1 + pick(random, 20),
        maxWaitMs: pick(random, 2) * 300,
        ...(
          [
            { algorithm: 'token-bucket' },
            { algorithm: 'sliding-window' },
            { warmUpMs: 500 },
            { store: slowStore(random, clock), storeTimeoutMs: 40 },
          ] as const
        )[pick(random, 4)]!,
      });
    case 6:
      return adaptiveLimit({
        name,
        algorithm: (['aimd', 'vegas', 'gradient2'] as const)[pick(random, 3)]!,
        minLimit: 1,
        initialLimit: 1 + pick(random, 3),
        maxLimit: 10,
        queueLimit: pick(random, 3),
        queueTimeoutMs: 1 + pick(random, 300),
        windowMs: 0,
        dropIfResult: isAgain,
        ...(random.next() < 0.3 ? { shares: { critical: 0.5 } } : undefined),
      });
    case 7:
      return throttle({ name, windowMs: 1_000 });
    case 8:
      return shed({ name, bbr: random.next() < 0.5 });
    case 9:
      return hedge({
        name,
        ...(random.next() < 0.5
          ? { delayMs: pick(random, 300) }
          : { quantile: { quantile: 0.5, minimumCalls: 1 + pick(random, 4), maxDelayMs: 300 } }),
        maxHedges: 1 + pick(random, 2),
        failureIfResult: isAgain,
        failureWins: random.next() < 0.2,
        ...(random.next() < 0.3 ? { budget } : undefined),
      });
    case 10:
      return cache({
        name,
        ttlMs: 1 + pick(random, 300),
        maxEntries: 1 + pick(random, 3),
        // A renewal has no caller whose patience ends: it must be over when the program is looked at.
        refreshTimeoutMs: 5_000,
        ...(random.next() < 0.5 ? { staleMs: pick(random, 500) } : undefined),
        ...(random.next() < 0.5 ? { staleIfErrorMs: pick(random, 500) } : undefined),
        ...(random.next() < 0.5 ? { staleIfResult: isAgain } : undefined),
      });
    case 11:
      return fault({
        name,
        ratio: random.next() / 2,
        forMs: 1 + pick(random, 3_000),
        ...(
          [
            { inject: 'error' },
            { inject: 'latency', delayMs: pick(random, 300) },
            { inject: 'hang' },
            { inject: 'result', result: () => 'made up' },
          ] as const
        )[pick(random, 4)]!,
      });
    default:
      return fallback({
        name,
        ...(random.next() < 0.5 ? { fallbackIfResult: isAgain } : undefined),
        steps: [
          (_error: unknown, call: Call) => {
            if (call.attempt === 1) throw new Error('no cache');
            return 'cached';
          },
          async () => 'default',
        ].slice(pick(random, 2)),
      });
  }
}

function randomOptions(
  random: Random,
  clock: VirtualClock,
  callers: AbortController[],
): ExecuteOptions {
  const caller = new AbortController();
  callers.push(caller);
  const aborts = random.next() < 0.3;
  const abortMs = pick(random, 600);
  if (aborts && abortMs < 20) caller.abort('before');
  else if (aborts) void clock.sleep(abortMs).then(() => caller.abort('gone'));
  return {
    signal: caller.signal,
    deadlineMs: random.next() < 0.2 ? pick(random, 500) : PATIENCE_MS,
    idempotent: random.next() < 0.8,
    criticality: CRITICALITIES[pick(random, 4)]!,
    ...(random.next() < 0.5 ? { key: `key ${pick(random, 3)}` } : {}),
    ...(random.next() < 0.3 ? { cacheKey: `answer ${pick(random, 4)}` } : {}),
  };
}

/** What the function does in each attempt is drawn anew. */
function randomBehaviour(random: Random, clock: VirtualClock): (call: Call) => unknown {
  return (call) => {
    const ms = pick(random, 400);
    switch (pick(random, 8)) {
      case 0:
        return 'at once';
      case 1:
        throw new Error('at once');
      case 2:
        return new Promise(() => {});
      case 3:
        return clock.sleep(ms).then(() => Promise.reject(new Error('slowly down')));
      case 4:
        return clock.sleep(ms, call.signal).then(() => 'slowly');
      case 5:
        return Promise.reject(new Error('down'));
      case 6:
        return clock.sleep(ms).then(() => 'again');
      default:
        return clock.sleep(ms).then(() => 'well');
    }
  };
}

/** Swaps the policies, forces the circuits and drops answers while calls are on their way. */
async function meddle(
  p: Pipeline,
  random: Random,
  clock: VirtualClock,
  registry: Registry,
  kinds: Set<PolicyKind>,
) {
  for (let i = 0; i < 5; i += 1) {
    await clock.sleep(pick(random, 500));
    if (random.next() < 0.3) await p.invalidate(`answer ${pick(random, 4)}`);
    if (random.next() < 0.6) {
      p.swap(randomPolicies(random, clock, kinds));
    } else if (p.policies.some(({ kind }) => kind === 'circuitBreaker')) {
      const as = (['forced-open', 'forced-closed', 'disabled', 'closed'] as const)[
        pick(random, 4)
      ]!;
      registry.force(p.name, as, { forMs: 1 + pick(random, 400) });
    }
  }
}

/** Answers in time, too late, never, or with a failure. */
function slowStore(random: Random, clock: VirtualClock): RateStore {
  const store = memoryRateStore({ clock });
  return {
    async take(key, rule) {
      if (random.next() < 0.1) throw new Error('the store is down');
      await clock.sleep(pick(random, 60));
      return store.take(key, rule);
    },
  };
}

/** A whole number from 0 to below `n`. */
const pick = (random: Random, n: number) => Math.floor(random.next() * n);
