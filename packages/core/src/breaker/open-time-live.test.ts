import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { timeout } from '../timeout/timeout.ts';
import { circuitBreaker } from './breaker.ts';

const fail = () => Promise.reject(new Error('down'));

describe('open time', () => {
  test('grows with each probe that fails, and every refusal says how long is left', async () => {
    const { call, clock } = setUp([
      circuitBreaker({ consecutiveFailures: 1, openMs: 100, openFactor: 2, openMaxMs: 500 }),
    ]);
    const told: unknown[] = [];
    for (let i = 0; i < 5; i += 1) {
      await call(fail);
      const { retryAfterMs } = (await call(fail)) as { retryAfterMs: number };
      told.push(retryAfterMs);
      await clock.advance(retryAfterMs);
    }
    assert.deepEqual(told, [100, 200, 400, 500, 500]);
  });

  test('is spread by chance, anew each time, and by the same seed in the same way', async () => {
    const play = async (seed: number) => {
      const { call, clock } = setUp(
        [circuitBreaker({ consecutiveFailures: 1, openMs: 1_000, openJitter: 0.2 })],
        seed,
      );
      const told: number[] = [];
      for (let i = 0; i < 50; i += 1) {
        await call(fail);
        told.push(((await call(fail)) as { retryAfterMs: number }).retryAfterMs);
        await clock.advance(1_200);
      }
      return told;
    };
    const told = await play(1);
    assert.deepEqual(told, await play(1));
    assert.ok(Math.min(...told) >= 800 && Math.max(...told) <= 1_200, told.join());
    assert.ok(new Set(told).size > 40, 'they differ');
    assert.ok(Math.min(...told) < 850 && Math.max(...told) > 1_150, 'over the whole breadth');
  });

  test('lasts as long as the failing dependency asks for, in an error or in a result', async () => {
    const hint = ({ error, value }: { error?: unknown; value?: unknown }) =>
      ((error ?? value) as { retryAfterMs?: number }).retryAfterMs;
    const policy = circuitBreaker({
      consecutiveFailures: 1,
      openMs: 100,
      openMaxMs: 5_000,
      openHint: hint,
      failureIfResult: (value) => (value as { status: number }).status === 503,
    });
    const error = Object.assign(new Error('busy'), { retryAfterMs: 3_000 });
    const answers = [
      () => Promise.reject(error),
      async () => ({ status: 503, retryAfterMs: 60_000 }),
      async () => ({ status: 503, retryAfterMs: 7 }),
      async () => ({ status: 503 }),
      fail,
    ];
    const told: number[] = [];
    for (const answer of answers) {
      const { call } = setUp([policy]);
      await call(answer);
      told.push(((await call(fail)) as { retryAfterMs: number }).retryAfterMs);
    }
    assert.deepEqual(told, [3_000, 5_000, 100, 100, 100]);
  });

  test('is openMs where the hint throws, and the caller still gets the dependency’s error', async () => {
    const openHint = () => {
      throw new Error('unreadable');
    };
    const { call } = setUp([circuitBreaker({ consecutiveFailures: 1, openMs: 100, openHint })]);
    assert.match(String(await call(fail)), /down/);
    assert.equal(((await call(fail)) as { retryAfterMs: number }).retryAfterMs, 100);
  });
});

test('a hint for the open time is asked for after failures alone', async () => {
  let asked = 0;
  const openHint = () => {
    asked += 1;
    return undefined;
  };
  const slowCalls = { ratio: 0.5, minimumCalls: 1, windowCalls: 2, slowCallMs: 20 };
  const clock = new VirtualClock();
  const p = pipeline('p', [circuitBreaker({ slowCalls, openHint })], { clock });
  await clock.run(() => p.execute(() => clock.sleep(30)));
  const state = p.inspect().policies[0]?.circuit?.state;
  await clock.advance(10_000);
  await p.execute(() => Promise.reject(new Error('down'))).catch(() => {});
  assert.deepEqual([state, asked], ['open', 1]);
});

test('a hint that is no time to wait is none', async () => {
  const told = [];
  for (const hintMs of [-5, 0, Number.NaN, '7', null]) {
    const openHint = () => hintMs as number;
    const { call } = setUp([circuitBreaker({ consecutiveFailures: 1, openMs: 100, openHint })]);
    await call(fail);
    told.push(((await call(fail)) as { retryAfterMs: number }).retryAfterMs);
  }
  assert.deepEqual(told, [100, 100, 100, 100, 100]);
});

describe('slow calls', () => {
  const slowCalls = { slowCallMs: 50, ratio: 0.5, minimumCalls: 2, windowCalls: 10 };

  test('open the circuit while each of them gets its answer', async () => {
    const { call, clock, circuit } = setUp([circuitBreaker({ slowCalls })]);
    const slowly = (ms: number) => () => clock.sleep(ms).then(() => ms);
    assert.deepEqual([await call(slowly(49)), await call(slowly(49))], [49, 49]);
    assert.deepEqual([await call(slowly(50)), circuit()?.state], [50, 'closed']);
    assert.deepEqual([await call(slowly(90)), circuit()?.state], [90, 'open']);
    assert.equal(circuit()?.why, '2 of the last 4 calls took 50 ms or longer');
  });

  test('are also those that a time limit ends, but not those their caller ends', async () => {
    const { call, circuit, p, clock } = setUp([
      circuitBreaker({ consecutiveFailures: 100, slowCalls }),
      timeout({ limitMs: 60 }),
    ]);
    const impatient = p.execute(() => clock.sleep(1_000), { deadlineMs: 55 }).catch(() => {});
    await clock.run(() => impatient);
    await call(() => clock.sleep(1_000));
    assert.equal(circuit()?.state, 'closed');
    await call(() => clock.sleep(1_000));
    assert.deepEqual(
      [circuit()?.state, circuit()?.why],
      ['open', '2 of the last 2 calls took 50 ms or longer'],
    );
  });
});

/** A pipeline in virtual time; `call` gives the result or the error of a call. */
function setUp(policies: readonly Policy[], seed = 1) {
  const clock = new VirtualClock();
  const p = pipeline('p', policies, { clock, random: seededRandom(seed), registry: undefined });
  const call = (fn: () => Promise<unknown>) =>
    clock.run(() => p.execute(fn).catch((error: unknown) => error));
  const circuit = () => p.inspect().policies[0]?.circuit;
  return { p, clock, call, circuit };
}
