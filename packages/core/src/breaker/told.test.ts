import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { timeout } from '../timeout/timeout.ts';
import { circuitBreaker } from './breaker.ts';
import type { CircuitBreakerOptions } from './options.ts';

describe('what a circuit tells', () => {
  test('of its opening: which rule, and with what numbers', async () => {
    const why = async (rules: CircuitBreakerOptions, calls: readonly number[]) => {
      const { call, circuit } = setUp(rules);
      const before = circuit().why;
      for (const takesMs of calls) await call(Math.abs(takesMs), takesMs < 0);
      return [before, circuit().state, circuit().why];
    };
    const off = { consecutiveFailures: false } as const;
    const slow = { ratio: 0.5, minimumCalls: 2, slowCallMs: 100 };
    assert.deepEqual(
      [
        await why({ consecutiveFailures: 1 }, [-1]),
        await why(
          { ...off, failureRatio: { ratio: 0.5, minimumCalls: 2, windowMs: 1_000 } },
          [1, -1],
        ),
        await why(
          { ...off, failureRatio: { ratio: 0.5, minimumCalls: 2, windowCalls: 4 } },
          [1, -1],
        ),
        await why({ ...off, slowCalls: { ...slow, windowMs: 1_000 } }, [1, 100]),
        await why({ ...off, trip: ({ totalFailures }) => totalFailures > 1 }, [1, -1, -1]),
      ],
      [
        ['', 'open', '1 failure'],
        ['', 'open', '1 of 2 calls within 1000 ms failed'],
        ['', 'open', '1 of the last 2 calls failed'],
        ['', 'open', '1 of 2 calls within 1000 ms took 100 ms or longer'],
        ['', 'open', 'its trip rule holds after 2 failures of 3 calls'],
      ],
    );
  });

  test('of a probe that fails: that, beside what had opened it first', async () => {
    const { call, circuit, clock } = setUp({ consecutiveFailures: 2, openMs: 1_000 });
    await call(0, true);
    await call(0, true);
    await clock.advance(1_000);
    await call(0, true);
    const { opened, trippedBy, why } = circuit();
    assert.deepEqual([opened, trippedBy?.totalFailures, why], [2, 2, 'a probe failed']);
  });

  test('of what it only observes: at once, not when somebody looks', async () => {
    const { call, events } = setUp({ consecutiveFailures: 1, observe: true });
    await call(0, true);
    const told = events.flatMap((event) =>
      event.type === 'circuit-observed' ? [`${event.from} > ${event.to}: ${event.why}`] : [],
    );
    assert.deepEqual(told, ['closed > open: 1 failure']);
  });

  test('with a refusal: the failure that opened it, also one that was a time limit outside', async () => {
    const { p, clock } = setUp({ consecutiveFailures: 1 }, [timeout({ limitMs: 100 })]);
    await clock.run(() => p.execute(() => new Promise(() => {})).catch(() => {}));
    const refusal = await p.execute(() => 1).catch((error: unknown) => error);
    assert.equal(
      String((refusal as Error).cause),
      'TimedOutError: "timeout" gave up after 100 ms.',
    );
  });
});

describe('what a circuit counts', () => {
  test('is no success from before it opened', async () => {
    const { call, circuit, clock, p } = setUp({ consecutiveFailures: 1, openMs: 1_000 });
    const late = p.execute(() => clock.sleep(5_000));
    await call(0, true);
    await clock.advance(1_000);
    await call(0);
    await clock.run(() => late);
    const { requests, totalSuccesses } = circuit().counts;
    assert.deepEqual([circuit().state, requests, totalSuccesses], ['closed', 0, 0]);
  });

  test('is no call whose predicate threw', async () => {
    const failureIf = () => {
      throw new Error('predicate');
    };
    const { call, circuit } = setUp({ failureIf });
    await call(0, true);
    assert.deepEqual(circuit().counts, {
      requests: 0,
      totalSuccesses: 0,
      totalFailures: 0,
      consecutiveSuccesses: 0,
      consecutiveFailures: 0,
    });
  });

  test('asks a trip rule after failures alone, not after a success that was slow', async () => {
    const slowCalls = { ratio: 1, minimumCalls: 9, slowCallMs: 10, windowMs: 1_000 };
    const { call, circuit } = setUp({ slowCalls, trip: () => true });
    await call(20);
    assert.equal(circuit().state, 'closed');
  });
});

describe('the chance in an open time', () => {
  const jittered = { consecutiveFailures: 1, openMs: 1_000, openJitter: 0.5 };

  test('is drawn before the first opening, and at a swap to rules that have it', async () => {
    const first = setUp(jittered);
    const swapped = setUp({ ...jittered, openJitter: 0 });
    swapped.p.swap([circuitBreaker(jittered)]);
    for (const { call, circuit } of [first, swapped]) {
      await call(0, true);
      assert.equal(circuit().retryAfterMs, 1_500);
    }
  });

  test('is drawn for the circuit that is only observed as well', async () => {
    const { call, events, clock, circuit } = setUp({ ...jittered, observe: true });
    await call(0, true);
    await clock.advance(1_499);
    const before = circuit().observed;
    await clock.advance(1);
    assert.deepEqual([before, circuit().observed], ['open', 'half-open']);
    assert.equal(events.filter(({ type }) => type === 'circuit-observed').length, 2);
  });
});

test('remarks on a circuit speak of numbers that do not go with a time-out, and of none that do', () => {
  const rules = (options: CircuitBreakerOptions) =>
    pipeline('p', [circuitBreaker(options), timeout({ limitMs: 100 })], { registry: undefined })
      .explain()
      .remarks.map(({ rule }) => rule);
  const options = (windowMs: number, slowCallMs: number, halfOpenMaxMs: number) => ({
    slowCalls: { ratio: 0.5, minimumCalls: 2, windowMs, slowCallMs },
    halfOpenMaxMs,
  });
  assert.deepEqual(
    [rules(options(200, 100, 100)), rules(options(199, 101, 99))],
    [[], ['window-too-short', 'slow-calls-unseen', 'half-open-too-short']],
  );
});

function setUp(rules: CircuitBreakerOptions, outside: readonly Policy[] = []) {
  const clock = new VirtualClock();
  const { events, listener } = record();
  const random = { next: () => 1 };
  const p = pipeline('p', [...outside, circuitBreaker(rules)], {
    clock,
    random,
    report: listener,
    registry: undefined,
  });
  const call = (takesMs: number, fails = false) =>
    clock.run(() =>
      p
        .execute(async () => {
          if (takesMs > 0) await clock.sleep(takesMs);
          if (fails) throw new Error('down');
        })
        .catch(() => {}),
    );
  const circuit = () => p.inspect().policies.at(-1)!.circuit!;
  return { p, clock, events, call, circuit };
}
