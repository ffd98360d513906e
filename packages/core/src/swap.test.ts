import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { adaptiveLimit } from './adaptive-limit/adaptive-limit.ts';
import { circuitBreaker } from './breaker/breaker.ts';
import type { CircuitStore } from './breaker/shared/circuit-store.ts';
import { memoryCircuitStore } from './breaker/shared/memory-circuit-store.ts';
import { hedge } from './hedge/hedge.ts';
import { pipeline } from './pipeline.ts';
import type { Criticality, ExecuteOptions, Policy } from './policy.ts';
import { rateLimit } from './rate-limit/rate-limit.ts';
import { shed } from './shed/shed.ts';
import { seededRandom } from './testing/seeded-random.ts';
import { VirtualClock } from './testing/virtual-clock.ts';
import { throttle } from './throttle/throttle.ts';
import { timeout } from './timeout/timeout.ts';

describe('a swap for one of the same kind and name', () => {
  test('keeps what a throttle has counted in the same window, whatever else is new', async () => {
    const w = setUp(throttle({ windowMs: 10_000 }));
    await w.fail(20);
    assert.deepEqual(w.after(throttle({ windowMs: 10_000, k: 3 })).throttle?.calls, 20);
    assert.deepEqual(w.after(throttle({ windowMs: 20_000 })).throttle?.calls, 0);
  });

  test('keeps what is left of a rate, unless it is another rate', async () => {
    const rule = { limit: 2, intervalMs: 1_000, burst: 2, maxWaitMs: 0 } as const;
    const others = [
      { limit: 3 },
      { intervalMs: 500 },
      { burst: 3 },
      { algorithm: 'sliding-window' as const },
      { warmUpMs: 100 },
    ];
    const w = setUp(rateLimit(rule));
    await w.succeed(2);
    w.after(rateLimit({ ...rule, maxKeys: 5 }));
    assert.equal(await w.code(), 'RATE_LIMITED');
    const few = setUp(rateLimit(rule));
    for (const key of ['a', 'b', 'c']) await few.p.execute(() => key, { key });
    few.after(rateLimit({ ...rule, maxKeys: 2 }));
    assert.equal(few.p.inspect().policies[0]?.rate?.keys, 2);
    for (const other of others) {
      const each = setUp(rateLimit(rule));
      await each.succeed(2);
      each.after(rateLimit({ ...rule, ...other }));
      assert.equal(await each.code(), undefined, JSON.stringify(other));
    }
  });

  test('takes a circuit’s store away, or brings one', async () => {
    let asked = 0;
    const memory = memoryCircuitStore();
    const store: CircuitStore = {
      exchange(...args) {
        asked += 1;
        return memory.exchange(...args);
      },
    };
    const shared = () => circuitBreaker({ shared: { store, intervalMs: 10 } });
    const w = setUp(shared());
    const seen: number[] = [];
    for (const next of [shared(), circuitBreaker(), circuitBreaker(), shared()]) {
      w.after(next);
      await w.clock.advance(20);
      await w.succeed(1);
      seen.push(asked);
    }
    assert.deepEqual(seen, [1, 1, 1, 2]);
  });

  test('keeps the durations that a hedge knows of the same quantile and window', async () => {
    const quantile = { quantile: 0.9, minimumCalls: 5, windowMs: 10_000 };
    const w = setUp(hedge({ quantile }));
    await w.succeed(10, 40);
    const known = w.delayMs();
    assert.ok(known !== undefined && known >= 40 && known < 50, `${known}`);
    assert.equal(w.after(hedge({ quantile, maxHedges: 2 })).hedge?.delayMs, known);
    assert.equal(w.after(hedge({ delayMs: 70 })).hedge?.delayMs, 70);
    for (const other of [{ quantile: 0.8 }, { windowMs: 20_000 }]) {
      const each = setUp(hedge({ quantile }));
      await each.succeed(10, 40);
      const forgotten = each.after(hedge({ quantile: { ...quantile, ...other } }));
      assert.equal(forgotten.hedge?.delayMs, Infinity, JSON.stringify(other));
    }
  });

  test('keeps from where on calls are shed, and the probe where nobody brings one', async () => {
    let load = 120;
    const probe = { load: () => load };
    const w = setUp(shed({ probe }));
    assert.equal(await w.code({ criticality: 'sheddable' }), 'SHED');
    load = 60;
    assert.equal(w.after(shed({ probe })).shed?.from, 'sheddable-plus');
    // Between half of 100 and 100: still shed, for it has been.
    assert.equal(await w.code({ criticality: 'sheddable-plus' }), 'SHED');

    const own = setUp(shed());
    const running = own.p.execute(() => own.clock.sleep(1_000));
    own.clock.lateMs = 400;
    await own.clock.advance(100);
    assert.equal(own.p.inspect().policies[0]?.shed?.load, 60);
    assert.equal(own.after(shed({ until: 0.4 })).shed?.load, 60);
    assert.equal(own.after(shed({ probe: { load: () => 7 } })).shed?.load, 7);
    assert.equal(own.after(shed()).shed?.load, 0);
    await own.clock.run(() => running);
  });

  test('keeps the places of an adaptive limit, and its limit where the algorithm is the same', async () => {
    const options = { algorithm: 'aimd', minLimit: 1, initialLimit: 10, timeoutMs: 50 } as const;
    const w = setUp(adaptiveLimit(options));
    await w.succeed(1, 60);
    assert.equal(w.p.inspect().policies[0]?.limit?.limit, 9);
    const running = w.p.execute(() => w.clock.sleep(10));
    assert.deepEqual(w.after(adaptiveLimit({ ...options, initialLimit: 20 })).limit, {
      limit: 9,
      active: 1,
      queued: 0,
    });
    const vegas = adaptiveLimit({ algorithm: 'vegas', initialLimit: 20 });
    assert.deepEqual(w.after(vegas).limit, { limit: 20, active: 1, queued: 0 });
    await w.clock.run(() => running);
    assert.equal(w.p.inspect().policies[0]?.limit?.active, 0);

    // A call that began under the old one ends, and must not put the old limit back.
    const late = setUp(adaptiveLimit(options));
    const slow = late.p.execute(() => late.clock.sleep(60));
    late.after(vegas);
    await late.clock.run(() => slow);
    const crowd = Array.from({ length: 20 }, () => late.p.execute(() => late.clock.sleep(1)));
    await late.clock.run(() => Promise.all(crowd));

    // What it has learned holds under the new rules, and no longer beyond them.
    const bounded = setUp(adaptiveLimit(options));
    const limitAfter = (other: object) =>
      bounded.after(adaptiveLimit({ ...options, ...other })).limit?.limit;
    assert.equal(limitAfter({ maxLimit: 10 }), 10);
    assert.equal(limitAfter({ initialLimit: 4, maxLimit: 4 }), 4);
    assert.equal(limitAfter({ initialLimit: 8, minLimit: 8 }), 8);
    await bounded.succeed(1, 60);
    assert.equal(limitAfter({ initialLimit: 8, minLimit: 8 }), 8);
    assert.equal(limitAfter({ timeoutMs: 10 }), 8);
    await bounded.succeed(1, 20);
    assert.equal(limitAfter({ timeoutMs: 10 }), 7);

    const full = setUp(adaptiveLimit({ ...options, initialLimit: 1, queueLimit: 1 }));
    const [inside, waiting] = [1, 2].map(() => full.p.execute(() => full.clock.sleep(10)));
    // There is more room at once, and who waited has it.
    assert.deepEqual(full.after(vegas).limit, { limit: 20, active: 2, queued: 0 });
    await full.clock.run(() => Promise.all([inside, waiting]));
  });
});

/** Timers of it are late by `lateMs` from when it is set. */
class LateClock extends VirtualClock {
  lateMs = 0;

  override timer(ms: number, fire: () => void) {
    return super.timer(ms + this.lateMs, fire);
  }
}

function setUp(policy: Policy) {
  const clock = new LateClock();
  const inside = timeout({ limitMs: 5_000 });
  const p = pipeline('p', [policy, inside], { clock, random: seededRandom(3) });
  const said = (criticality?: Criticality): ExecuteOptions =>
    criticality === undefined ? {} : { criticality };
  const code = (options: ExecuteOptions = said()) =>
    clock.run(() =>
      p
        .execute(() => 1, options)
        .then(
          () => undefined,
          (error: { code?: string }) => error.code,
        ),
    );
  return {
    clock,
    p,
    code,
    delayMs: () => p.inspect().policies[0]?.hedge?.delayMs,
    async succeed(calls: number, tookMs = 0) {
      for (let n = 0; n < calls; n += 1) {
        await clock.run(() => p.execute(() => clock.sleep(tookMs)));
      }
    },
    async fail(calls: number) {
      for (let n = 0; n < calls; n += 1) await p.execute(() => Promise.reject(1)).catch(() => {});
    },
    /** Its live state once `next` is in its place. */
    after(next: Policy) {
      p.swap([next, inside]);
      return p.inspect().policies[0]!;
    },
  };
}
