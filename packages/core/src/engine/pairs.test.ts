import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { adaptiveLimit } from '../adaptive-limit/adaptive-limit.ts';
import { circuitBreaker } from '../breaker/breaker.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { cache } from '../cache/cache.ts';
import { fallback } from '../fallback/fallback.ts';
import { fault } from '../fault/fault.ts';
import { hedge } from '../hedge/hedge.ts';
import { type Pipeline, pipeline } from '../pipeline.ts';
import type { Call, ExecuteOptions, Policy, PolicyKind } from '../policy.ts';
import { rateLimit } from '../rate-limit/rate-limit.ts';
import { createRegistry, type Registry } from '../registry.ts';
import { retry } from '../retry/retry.ts';
import { shed } from '../shed/shed.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { throttle } from '../throttle/throttle.ts';
import { deadline } from '../timeout/deadline.ts';
import { timeout } from '../timeout/timeout.ts';

const LATENCY_MS = 30;
const RETRIES = 2;
const WAIT_MS = 50;

type Make = (name: string) => Policy;

/** Each kind with room enough that it refuses nothing here. */
const ROOMY: Readonly<Record<PolicyKind, Make>> = {
  retry: (name) =>
    retry({ name, maxRetries: RETRIES, backoff: 'constant', delayMs: WAIT_MS, jitter: 'none' }),
  timeout: (name) => timeout({ name, limitMs: 5_000 }),
  deadline: (name) => deadline({ name, limitMs: 5_000 }),
  circuitBreaker: (name) => circuitBreaker({ name, consecutiveFailures: 100 }),
  bulkhead: (name) => bulkhead({ name, limit: 10 }),
  rateLimit: (name) => rateLimit({ name, limit: 100 }),
  adaptiveLimit: (name) => adaptiveLimit({ name }),
  throttle: (name) => throttle({ name, refusedIf: () => false }),
  shed: (name) => shed({ name }),
  hedge: (name) => hedge({ name, delayMs: 2_000 }),
  fallback: (name) => fallback({ name, steps: [() => 'default'] }),
  cache: (name) => cache({ name }),
  fault: (name) => fault({ name, inject: 'latency', delayMs: LATENCY_MS, ratio: 1 }),
};

interface Refusing {
  readonly make: Make;
  readonly code: string;
  /** Brings it to where it refuses the next call. */
  readonly exhaust: (w: World) => void | Promise<void>;
}

let load = 0;

/** Those that say no, with no room, and what it takes to have them say it. */
const REFUSING: Readonly<Partial<Record<PolicyKind, Refusing>>> = {
  circuitBreaker: {
    make: (name) => circuitBreaker({ name }),
    code: 'CIRCUIT_OPEN',
    exhaust: ({ registry }) => registry.force('pair', 'forced-open'),
  },
  bulkhead: {
    make: (name) => bulkhead({ name, limit: 1 }),
    code: 'BULKHEAD_FULL',
    exhaust: (w) => w.hold(),
  },
  adaptiveLimit: {
    make: (name) => adaptiveLimit({ name, initialLimit: 1, maxLimit: 1, minLimit: 1 }),
    code: 'LIMIT_EXCEEDED',
    exhaust: (w) => w.hold(),
  },
  rateLimit: {
    make: (name) => rateLimit({ name, limit: 1, intervalMs: 10_000 }),
    code: 'RATE_LIMITED',
    exhaust: (w) => w.succeed(),
  },
  throttle: {
    make: (name) => throttle({ name, k: 1 }),
    code: 'THROTTLED',
    exhaust: async (w) => {
      for (let n = 0; n < 9; n += 1) await w.fail();
    },
  },
  shed: {
    make: (name) => shed({ name, probe: { load: () => load } }),
    code: 'SHED',
    exhaust: () => {
      load = 1_000;
    },
  },
};

/** Those that let a call wait, with no room but in the queue. */
const QUEUEING: Readonly<Partial<Record<PolicyKind, Make>>> = {
  bulkhead: (name) => bulkhead({ name, limit: 1, queueLimit: 1 }),
  adaptiveLimit: (name) =>
    adaptiveLimit({ name, initialLimit: 1, maxLimit: 1, minLimit: 1, queueLimit: 1 }),
  rateLimit: (name) => rateLimit({ name, limit: 1, intervalMs: 2_000, maxWaitMs: 2_000 }),
};

const KINDS = Object.keys(ROOMY) as PolicyKind[];
const kindsOf = (table: object) => Object.keys(table) as PolicyKind[];

describe('every ordered pair of policies', () => {
  test('gives the answer of a function that succeeds, from one attempt', async () => {
    for (const pair of pairs()) {
      const w = world(pair);
      const seen = await w.call(async () => {
        await w.clock.sleep(20);
        return 'well';
      });
      const ms = 20 + LATENCY_MS * pair.filter(({ kind }) => kind === 'fault').length;
      assert.deepEqual(seen, { said: 'well', runs: 1, ms }, w.about);
      await w.checkNothingIsLeft();
    }
  });

  test('makes of a failure what each makes of what is inside it', async () => {
    for (const pair of pairs()) {
      const w = world(pair);
      const seen = await w.call(async () => {
        await w.clock.sleep(10);
        throw new Error('down');
      });
      assert.deepEqual(seen, failing({ said: 'down', runs: 1, ms: 10 }, pair), w.about);
      await w.checkNothingIsLeft();
    }
  });

  test('refuses by the one that has no room, and runs nothing', async () => {
    for (const tight of kindsOf(REFUSING)) {
      for (const other of KINDS) {
        for (const isOuter of [true, false]) {
          // A throttle never hears of the failures that a fallback inside it answers.
          const isDeaf = tight === 'throttle' && other === 'fallback' && isOuter;
          if (other === tight || isDeaf) continue;
          const { code, exhaust, make } = REFUSING[tight]!;
          const tightOne = make('tight');
          const otherOne = ROOMY[other]('other');
          const w = world(isOuter ? [tightOne, otherOne] : [otherOne, tightOne]);
          await exhaust(w);
          const { said, runs } = await w.call(async () => 'well');
          const answered = other === 'fallback' && !isOuter;
          assert.deepEqual([said, runs], [answered ? 'default' : code, 0], w.about);
          const promised = w.p.explain().refusals.map(({ policy, code }) => `${policy} ${code}`);
          assert.ok(promised.includes(`tight ${code}`), w.about);
          await w.checkNothingIsLeft();
        }
      }
    }
  });

  test('ends at once with the caller’s reason, in an attempt or before it', async () => {
    for (const pair of pairs()) {
      for (const abortMs of [-1, 5, 45]) {
        const w = world(pair);
        const runsLong = async (call: Call) => {
          await w.clock.sleep(1_000, call.signal);
          return 'late';
        };
        const seen = await w.call(runsLong, abortMs);
        const heldMs = LATENCY_MS * pair.filter(({ kind }) => kind === 'fault').length;
        const runs = abortMs >= heldMs ? 1 : 0;
        assert.deepEqual(seen, { said: 'gone', runs, ms: Math.max(0, abortMs) }, w.about);
        await w.checkNothingIsLeft();
      }
    }
  });

  test('ends at once with the caller’s reason while one of them has it wait', async () => {
    for (const waits of kindsOf(QUEUEING)) {
      for (const other of KINDS) {
        for (const isOuter of [true, false]) {
          if (other === waits) continue;
          const queue = QUEUEING[waits]!('queue');
          const otherOne = ROOMY[other]('other');
          const w = world(isOuter ? [queue, otherOne] : [otherOne, queue]);
          if (waits === 'rateLimit') await w.succeed();
          else await w.hold();
          const seen = await w.call(async () => 'late', 100);
          assert.deepEqual(seen, { said: 'gone', runs: 0, ms: 100 }, w.about);
          await w.checkNothingIsLeft();
        }
      }
    }
  });

  test('leaves a function that never ends behind when the caller’s time is over', async () => {
    for (const pair of pairs()) {
      const w = world(pair);
      const { said, runs, ms } = await w.call(() => new Promise(() => {}), undefined, {
        deadlineMs: 800,
      });
      assert.deepEqual([said, runs, ms], ['DEADLINE_EXCEEDED', 1, 800], w.about);
      await w.checkNothingIsLeft();
    }
  });
});

/** What a call came to: its answer, its error's code or message, or the reason of its end. */
interface Seen {
  readonly said: unknown;
  readonly runs: number;
  readonly ms: number;
}

/** What a pair makes of a function that fails, one after the other from the inside. */
function failing(inner: Seen, pair: readonly Policy[]): Seen {
  let { said, runs, ms } = inner;
  for (const { kind } of pair.toReversed()) {
    if (kind === 'fault') ms += LATENCY_MS;
    else if (kind === 'fallback') said = 'default';
    else if (kind === 'retry' && said !== 'default') {
      runs *= RETRIES + 1;
      ms = ms * (RETRIES + 1) + WAIT_MS * RETRIES;
    }
  }
  return { said, runs, ms };
}

function* pairs(): Generator<readonly [outer: Policy, inner: Policy]> {
  for (const outer of KINDS) {
    for (const inner of KINDS) yield [ROOMY[outer]('outer'), ROOMY[inner]('inner')];
  }
}

interface World {
  readonly clock: VirtualClock;
  readonly registry: Registry;
  readonly p: Pipeline;
  readonly about: string;
  /** One call, ended by the caller after `abortMs`; before it begins, where that is less than 0. */
  call(
    fn: (call: Call) => Promise<unknown>,
    abortMs?: number,
    options?: ExecuteOptions,
  ): Promise<Seen>;
  /** A call that is under way until `checkNothingIsLeft`. */
  hold(): Promise<void>;
  succeed(): Promise<void>;
  fail(): Promise<void>;
  /** Ends what is held, lets time pass, and looks at all that a call may leave. */
  checkNothingIsLeft(): Promise<void>;
}

function world(policies: readonly Policy[]): World {
  load = 0;
  const clock = new VirtualClock();
  const registry = createRegistry();
  const { events, listener } = record();
  // What has a chance of more than 0.7 happens: a throttle that was refused often, not one with a call under way.
  const random = { next: () => 0.7 };
  const p = pipeline('pair', policies, { clock, random, registry, report: listener });
  const { maxAttempts, worstCaseMs } = p.explain();
  const about = policies.map(({ kind, name }) => `${name} ${kind}`).join(' around ');
  const callers: AbortController[] = [];
  let calls = 0;
  let settled = 0;
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });

  const execute = (fn: (call: Call) => Promise<unknown>, options?: ExecuteOptions) => {
    calls += 1;
    const settle = () => {
      settled += 1;
    };
    return p.execute(fn, options).finally(settle);
  };

  return {
    clock,
    registry,
    p,
    about,
    async call(fn, abortMs, options) {
      const caller = new AbortController();
      callers.push(caller);
      if (abortMs !== undefined && abortMs < 0) caller.abort('gone');
      else if (abortMs !== undefined) clock.timer(abortMs, () => caller.abort('gone'));
      const beganMs = clock.now();
      let runs = 0;
      const counted = (call: Call) => {
        runs += 1;
        return fn(call);
      };
      const said = await clock.run(() =>
        execute(counted, { signal: caller.signal, ...options }).catch(saidBy),
      );
      const seen = { said, runs, ms: clock.now() - beganMs };
      assert.ok(seen.runs <= maxAttempts, `${seen.runs} runs of ${maxAttempts}, ${about}`);
      assert.ok(seen.ms <= worstCaseMs, `${seen.ms} ms of ${worstCaseMs}, ${about}`);
      return seen;
    },
    async hold() {
      execute(() => held).catch(() => {});
      await clock.advance(LATENCY_MS);
    },
    async succeed() {
      await clock.run(() => execute(async () => 'well'));
    },
    async fail() {
      const failure = async () => {
        throw new Error('down');
      };
      await clock.run(() => execute(failure).catch(() => {}));
    },
    async checkNothingIsLeft() {
      release();
      await clock.advance(60_000);
      assert.equal(settled, calls, `each call settles once, ${about}`);
      const told = events.filter(({ type }) => type === 'call').length;
      assert.equal(told, calls, `each call is reported once, ${about}`);
      assert.equal(clock.pendingTimers, 0, `no timer is left, ${about}`);
      for (const { signal } of callers) {
        assert.equal(getEventListeners(signal, 'abort').length, 0, `no listener, ${about}`);
      }
      const { inFlight, policies: live } = p.inspect();
      assert.equal(inFlight, 0, about);
      for (const { bulkhead: gate, limit, rate, fault: faults, cache: kept } of live) {
        assert.deepEqual(gate ?? { active: 0, queued: 0 }, { active: 0, queued: 0 }, about);
        assert.deepEqual([limit?.active ?? 0, limit?.queued ?? 0], [0, 0], about);
        assert.deepEqual([rate?.waiting ?? 0, faults?.held ?? 0], [0, 0], about);
        assert.equal(kept?.fetching ?? 0, 0, about);
      }
    },
  };
}

const saidBy = (error: unknown) =>
  error instanceof Error ? (Reflect.get(error, 'code') ?? error.message) : error;
