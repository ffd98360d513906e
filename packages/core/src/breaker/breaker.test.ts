import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { BulkheadFullError } from '../errors.ts';
import type { PolicyEvent } from '../events.ts';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { createRegistry } from '../registry.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { deadline } from '../timeout/deadline.ts';
import { timeout } from '../timeout/timeout.ts';
import { circuitBreaker } from './breaker.ts';
import type { CircuitBreakerOptions } from './options.ts';

const down = new Error('down');
const notFound = new Error('not found');
const fail = () => Promise.reject(down);
const never = () => new Promise<never>(() => {});

describe('circuitBreaker', () => {
  test('says when to come back and what opened it, and tells of each change', async () => {
    const { p, clock, events, call } = setUp([circuitBreaker({ consecutiveFailures: 2 })]);
    await call(fail);
    await call(fail);
    await clock.advance(4_000);
    assert.equal(p.inspect().policies[0]?.circuit?.trippedBy?.consecutiveFailures, 2);
    const refusal = (await call(never)) as Error & { code: string; retryAfterMs: number };
    assert.deepEqual(
      [refusal.name, refusal.code, refusal.retryAfterMs, refusal.cause, refusal.message],
      [
        'CircuitOpenError',
        'CIRCUIT_OPEN',
        6_000,
        down,
        'Circuit "circuit" is open. Try again in 6000 ms.',
      ],
    );
    assert.equal(refusal.stack?.includes('\n    at '), false, 'a refusal captures no stack');
    await clock.advance(6_000);
    assert.equal(await call(async () => 'up'), 'up');
    assert.deepEqual(changes(events), [
      'closed > open: 2 failures in a row (Error: down)',
      'open > half-open: it has been open for 10000 ms',
      'half-open > closed: 1 good probe',
    ]);
    assert.deepEqual(p.inspect().policies[0]?.circuit, {
      state: 'closed',
      counts: {
        requests: 0,
        totalSuccesses: 0,
        totalFailures: 0,
        consecutiveSuccesses: 0,
        consecutiveFailures: 0,
      },
      retryAfterMs: 0,
      opened: 1,
      why: '1 good probe',
    });
  });

  test('counts an attempt that ran into a time limit, inside it or outside', async () => {
    for (const order of ['inside', 'outside', 'deadline'] as const) {
      const breaker = circuitBreaker({ consecutiveFailures: 1 });
      const limit = order === 'deadline' ? deadline({ limitMs: 50 }) : timeout({ limitMs: 50 });
      const { call, state } = setUp(order === 'inside' ? [breaker, limit] : [limit, breaker]);
      await call(never);
      assert.equal(state(), 'open', order);
    }
  });

  test('holds neither the caller’s impatience nor our own refusals against the dependency', async () => {
    const { p, clock, call, state } = setUp([
      circuitBreaker({ consecutiveFailures: 1 }),
      bulkhead({ limit: 1 }),
    ]);
    const caller = new AbortController();
    const aborted = p.execute(never, { signal: caller.signal }).catch(() => {});
    await call(fail);
    caller.abort();
    await aborted;
    await clock.run(() => p.execute(never, { deadlineMs: 5 }).catch(() => {}));
    assert.deepEqual([state(), p.inspect().policies[0]?.circuit?.counts.requests], ['closed', 0]);
  });

  test('asks failureIf, failureIfResult and ignoreIf, and an ignored error gives its permit back', async () => {
    const { call, clock, state } = setUp([
      circuitBreaker({
        consecutiveFailures: 1,
        ignoreIf: (error) => error === notFound,
        failureIfResult: (value) => value === 500,
      }),
    ]);
    await call(() => Promise.reject(notFound));
    assert.equal(state(), 'closed');
    assert.equal(await call(async () => 500), 500);
    assert.equal(state(), 'open');
    await clock.advance(10_000);
    await call(() => Promise.reject(notFound));
    assert.equal(state(), 'half-open');
    assert.equal(await call(async () => 200), 200);
    assert.equal(state(), 'closed');
  });

  test('takes an error that is no failure for an answer', async () => {
    const { call, clock, state } = setUp([
      circuitBreaker({ consecutiveFailures: 2, failureIf: (error) => error === down }),
    ]);
    await call(fail);
    await call(() => Promise.reject(notFound));
    await call(fail);
    assert.equal(state(), 'closed', 'the row of failures was broken');
    await call(fail);
    assert.equal(state(), 'open');
    await clock.advance(10_000);
    assert.equal(await call(() => Promise.reject(notFound)), notFound);
    assert.equal(state(), 'closed', 'the probe was answered');
  });

  test('takes time limits and refusals of ours for no answer, whatever failureIf says', async () => {
    for (const order of ['time limit inside', 'time limit outside', 'refusal inside'] as const) {
      const breaker = circuitBreaker({
        consecutiveFailures: 1,
        failureIf: (error) => error === down,
      });
      const limit = timeout({ limitMs: 50 });
      const { call, clock, p, state } = setUp(
        order === 'time limit outside' ? [limit, breaker] : [breaker, limit],
      );
      await call(fail);
      await clock.advance(10_000);
      const full = new BulkheadFullError('rooms', 'full');
      await call(order === 'refusal inside' ? () => Promise.reject(full) : never);
      const circuit = p.inspect().policies.find(({ kind }) => kind === 'circuitBreaker')?.circuit;
      assert.deepEqual([state(), circuit?.counts.requests], ['half-open', 0], order);
    }
  });

  test('lets a predicate that throws through, and is not stuck for it', async () => {
    const { call, clock, state } = setUp([
      circuitBreaker({
        consecutiveFailures: 1,
        failureIf: (error) => {
          if (error !== down) throw new Error('broken predicate');
          return true;
        },
      }),
    ]);
    await call(fail);
    await clock.advance(10_000);
    assert.match(String(await call(() => Promise.reject(new Error('other')))), /broken predicate/);
    assert.equal(await call(async () => 'up'), 'up');
    assert.equal(state(), 'closed');
  });

  test('lets one probe through of 10,000 callers that wait for it', async () => {
    const { p, call, clock } = setUp([circuitBreaker({ consecutiveFailures: 1 })]);
    await call(fail);
    await clock.advance(10_000);
    let probes = 0;
    const outcomes = await clock.run(() =>
      Promise.allSettled(
        Array.from({ length: 10_000 }, () =>
          p.execute(async () => {
            probes += 1;
            await clock.sleep(100);
          }),
        ),
      ),
    );
    const codes = outcomes.map((outcome) =>
      outcome.status === 'fulfilled' ? 'ok' : (outcome.reason as { code: string }).code,
    );
    assert.deepEqual(
      [probes, codes.filter((code) => code === 'ok').length, new Set(codes)],
      [1, 1, new Set(['ok', 'CIRCUIT_BUSY'])],
    );
  });

  test('is not stuck half-open by probes that are cancelled, or that hang', async () => {
    const { p, call, clock, state } = setUp([
      circuitBreaker({ consecutiveFailures: 1, halfOpenMaxMs: 5_000 }),
    ]);
    await call(fail);
    await clock.advance(10_000);
    const caller = new AbortController();
    const cancelled = p.execute(never, { signal: caller.signal }).catch(() => 'cancelled');
    caller.abort();
    await cancelled;
    const hung = p.execute(never);
    assert.equal(((await call(never)) as { code: string }).code, 'CIRCUIT_BUSY');
    await clock.advance(5_000);
    assert.equal(((await call(never)) as { code: string }).code, 'CIRCUIT_OPEN');
    await clock.advance(10_000);
    assert.equal(await call(async () => 'up'), 'up');
    assert.equal(state(), 'closed');
    void hung;
  });

  test('does not notice that the wall clock jumps', async () => {
    const { call, clock, state } = setUp([circuitBreaker({ consecutiveFailures: 1 })]);
    await call(fail);
    clock.jumpWall(86_400_000);
    assert.equal(state(), 'open');
    clock.jumpWall(-2 * 86_400_000);
    await clock.advance(10_000);
    assert.equal(state(), 'half-open');
  });

  test('tells that it is half-open when the probe begins, not when it ends', async () => {
    const { call, clock, events, p } = setUp([
      circuitBreaker({ consecutiveFailures: 1, openMs: 100 }),
    ]);
    await call(() => Promise.reject(down));
    await clock.advance(100);
    const probe = p.execute(() => clock.sleep(50));
    assert.match(changes(events).at(-1)!, /^open > half-open: it has been open for 100 ms/);
    const { message } = (await call(async () => 'up')) as Error;
    assert.equal(
      message,
      'Circuit "circuit" is half-open and waits for its probes to answer. Try again soon.',
    );
    await clock.run(() => probe);
  });

  test('clears its counts in time also where nobody but calls looks at it', async () => {
    const options = { consecutiveFailures: 2, clearIntervalMs: 1_000 };
    const { call, clock, state } = setUp([circuitBreaker(options)]);
    await call(() => Promise.reject(down));
    await clock.advance(1_000);
    await call(() => Promise.reject(down));
    await call(() => Promise.reject(down));
    assert.equal(state(), 'open');
  });

  test('draws no chance where nothing in it is by chance', async () => {
    const random = { next: () => assert.fail('drawn') };
    const clock = new VirtualClock();
    const p = pipeline('p', [circuitBreaker({ consecutiveFailures: 1 })], { clock, random });
    await p.execute(() => Promise.reject(down)).catch(() => {});
    assert.equal(p.inspect().policies[0]?.circuit?.state, 'open');
  });

  test('has no timer of its own', async () => {
    const { call, clock, state } = setUp([circuitBreaker({ consecutiveFailures: 1 })]);
    await call(fail);
    assert.deepEqual([state(), clock.pendingTimers], ['open', 0]);
  });

  test('can be forced, until that expires or is lifted', async () => {
    const registry = createRegistry();
    const { call, clock, state, events } = setUp(
      [circuitBreaker({ consecutiveFailures: 1 })],
      registry,
    );
    registry.force('p', 'forced-open', { forMs: 1_000 });
    const refused = (await call(async () => 'up')) as { code: string; retryAfterMs: number };
    assert.deepEqual([refused.code, refused.retryAfterMs], ['CIRCUIT_OPEN', 1_000]);
    await clock.advance(1_000);
    assert.equal(state(), 'half-open');
    registry.force('p', 'forced-closed', { forMs: 1_000 });
    await call(fail);
    await call(fail);
    assert.equal(state(), 'forced-closed');
    await clock.advance(1_000);
    assert.equal(state(), 'closed');
    registry.force('p', 'disabled');
    await call(fail);
    await clock.advance(300_000 - 1);
    assert.equal(state(), 'disabled');
    registry.force('p', 'closed');
    assert.equal(state(), 'closed');
    assert.equal(changes(events).length, 6);
  });

  test('may be forced by a listener that hears it change', async () => {
    const registry = createRegistry();
    const { call, clock, state } = setUp([circuitBreaker({ consecutiveFailures: 1 })], registry);
    registry.listen((event) => {
      if (event.type === 'circuit' && event.to === 'half-open') registry.force('p', 'forced-open');
    });
    await call(fail);
    await clock.advance(10_000);
    assert.equal(await call(async () => 'admitted before'), 'admitted before');
    assert.equal(state(), 'forced-open');
  });

  test('refuses options that cannot work, naming the culprit', () => {
    const refusals = (
      [
        { consecutiveFailures: 0 },
        { consecutiveFailures: false },
        { openMs: Number.NaN },
        { halfOpenPermits: 1.5 },
        { failureRatio: { ratio: 0, minimumCalls: 10, windowMs: 1_000 } },
        { failureRatio: { ratio: 0.5, minimumCalls: 10, windowMs: '1s' } },
        { trip: 'consecutiveFailures > 5' },
        { failureRatio: { ratio: 0.5, minimumCalls: 10, windowCalls: 5 } },
        { failureRatio: { ratio: 0.5, minimumCalls: 5, windowCalls: 5, windowMs: 100 } },
        { slowCalls: { ratio: 0.5, minimumCalls: 5, windowCalls: 5 } },
        { openMs: 1_000, openMaxMs: 500 },
        { openJitter: 2 },
        { openHint: 5 },
        { observe: 'yes' },
        { initial: { state: 'ajar' } },
        { initial: { state: 'open', retryAfterMs: 1, opened: 1, counts: { requests: 1 } } },
      ] as unknown as CircuitBreakerOptions[]
    ).map((options) => {
      try {
        return circuitBreaker(options).name;
      } catch (error) {
        return String(error);
      }
    });
    assert.deepEqual(refusals, [
      'RangeError: circuitBreaker.consecutiveFailures must be a whole number from 1 to 1000000, not 0.',
      'RangeError: circuitBreaker.consecutiveFailures must be a number where no other rule is given, not false: this circuit could never open.',
      'RangeError: circuitBreaker.openMs must be a number from 1 to 2147483647, not NaN.',
      'RangeError: circuitBreaker.halfOpenPermits must be a whole number from 1 to 10000, not 1.5.',
      `RangeError: circuitBreaker.failureRatio.ratio must be a number from ${Number.MIN_VALUE} to 1, not 0.`,
      'RangeError: circuitBreaker.failureRatio.windowMs must be a number from 10 to 2147483647, not "1s".',
      'TypeError: circuitBreaker.trip must be a function, not "consecutiveFailures > 5".',
      'RangeError: circuitBreaker.failureRatio.minimumCalls must be a whole number from 1 to 5, not 10.',
      'RangeError: circuitBreaker.failureRatio must have either windowMs or windowCalls, not both: give it one window.',
      'RangeError: circuitBreaker.slowCalls.slowCallMs must be a number from 1 to 2147483647, not undefined.',
      'RangeError: circuitBreaker.openMaxMs must be a number from 1000 to 2147483647, not 500.',
      'RangeError: circuitBreaker.openJitter must be a number from 0 to 1, not 2.',
      'TypeError: circuitBreaker.openHint must be a function, not 5.',
      'TypeError: circuitBreaker.observe must be true or false, not "yes".',
      'RangeError: circuitBreaker.initial.state must be one of closed, open, half-open, forced-open, forced-closed, disabled, observe, not "ajar".',
      'RangeError: circuitBreaker.initial.counts.totalSuccesses must be a number from 0 to 9007199254740991, not undefined.',
    ]);
  });
});

/** A pipeline `p` in virtual time; `call` gives the result or the error of a call. */
function setUp(policies: readonly Policy[], registry = createRegistry()) {
  const clock = new VirtualClock();
  const { events, listener } = record();
  const p = pipeline('p', policies, { clock, registry, report: listener });
  const call = (fn: () => Promise<unknown>) =>
    clock.run(() => p.execute(fn).catch((error: unknown) => error));
  const state = () =>
    p.inspect().policies.find(({ kind }) => kind === 'circuitBreaker')?.circuit?.state;
  return { p, clock, events, call, state };
}

const changes = (events: readonly PolicyEvent[]) =>
  events.flatMap((event) =>
    event.type === 'circuit'
      ? [
          `${event.from} > ${event.to}: ${event.why}${event.error === undefined ? '' : ` (${event.error})`}`,
        ]
      : [],
  );
