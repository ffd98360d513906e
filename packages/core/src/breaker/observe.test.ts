import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PolicyEvent } from '../events.ts';
import { pipeline } from '../pipeline.ts';
import { createRegistry } from '../registry.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { circuitBreaker } from './breaker.ts';
import type { CircuitBreakerOptions } from './options.ts';

const fail = () => Promise.reject(new Error('down'));
const ok = async () => 'up';

describe('a circuit that observes', () => {
  test('refuses nothing, and tells what it would have done', async () => {
    const { call, circuit, clock, told } = setUp({ consecutiveFailures: 2, observe: true });
    await call(fail);
    await call(fail);
    assert.equal(await call(ok), 'up');
    assert.deepEqual(
      [circuit().state, circuit().observed, circuit().trippedBy?.consecutiveFailures],
      ['observe', 'open', 2],
    );
    await clock.advance(10_000);
    assert.equal(await call(ok), 'up');
    assert.deepEqual(
      [circuit().state, circuit().observed, circuit().opened],
      ['observe', 'closed', 1],
    );
    assert.deepEqual(told(), [
      'circuit-observed closed > open: 2 failures in a row',
      'would-refuse CIRCUIT_OPEN',
      'circuit-observed open > half-open: it has been open for 10000 ms',
      'circuit-observed half-open > closed: 1 good probe',
    ]);
  });

  test('tells the same transitions as one that acts, for the calls that this one lets through', async () => {
    const options = { consecutiveFailures: 2, openMs: 100, openFactor: 2 };
    const script = [
      fail,
      fail,
      ok,
      fail,
      ok,
      ok,
      ok,
      ok,
      ok,
      fail,
      fail,
      ok,
      ok,
      ok,
      ok,
      ok,
      ok,
      ok,
      ok,
    ];
    const play = async (given: CircuitBreakerOptions) => {
      const { call, clock, told } = setUp(given);
      for (const fn of script) {
        await call(fn);
        await clock.advance(60);
      }
      return told().filter((line) => line.startsWith('circuit'));
    };
    const acted = await play(options);
    const observed = await play({ ...options, observe: true });
    assert.ok(acted.length >= 6);
    assert.deepEqual(
      observed.map((line) => line.replace('circuit-observed', 'circuit')),
      acted,
    );
  });

  test('when forced, becomes what it has watched itself be once the force expires', async () => {
    const { call, circuit, clock, registry, told } = setUp({ consecutiveFailures: 1 });
    registry.force('p', 'observe', { forMs: 5_000 });
    await call(fail);
    assert.equal(await call(ok), 'up');
    assert.deepEqual([circuit().state, circuit().expiresInMs], ['observe', 5_000]);
    await clock.advance(5_000);
    assert.equal(((await call(ok)) as { code: string }).code, 'CIRCUIT_OPEN');
    assert.deepEqual([circuit().state, circuit().retryAfterMs], ['open', 5_000]);
    assert.deepEqual(told(), [
      'circuit closed > observe: forced by hand for 5000 ms',
      'circuit-observed closed > open: 1 failure',
      'would-refuse CIRCUIT_OPEN',
      'circuit observe > open: the force has expired',
    ]);
  });

  test('goes on where it was when an option says that it observes, or no longer', async () => {
    const { call, circuit, p } = setUp({ consecutiveFailures: 1 });
    await call(fail);
    p.swap([circuitBreaker({ consecutiveFailures: 1, observe: true })]);
    assert.deepEqual([circuit().state, circuit().observed], ['observe', 'open']);
    assert.equal(await call(ok), 'up');
    p.swap([circuitBreaker({ consecutiveFailures: 1 })]);
    assert.deepEqual([circuit().state, circuit().retryAfterMs], ['open', 10_000]);
    assert.equal(((await call(ok)) as { code: string }).code, 'CIRCUIT_OPEN');
  });

  test('tells at once what a swap has made of it', async () => {
    const w = setUp({ consecutiveFailures: 1, observe: true });
    await w.call(fail);
    const before = w.told().length;
    w.p.swap([circuitBreaker({ consecutiveFailures: 1 })]);
    w.p.swap([circuitBreaker({ consecutiveFailures: 1, observe: true })]);
    assert.deepEqual(w.told().slice(before), [
      'circuit observe > open: it no longer only observes',
      'circuit open > observe: from now on it only observes',
    ]);
  });

  test('goes on observing under new rules, with a window of its own where that is another', async () => {
    const failureRatio = { ratio: 0.5, minimumCalls: 4, windowCalls: 10 };
    const observed: unknown[] = [];
    for (const windowCalls of [10, 20]) {
      const w = setUp({ consecutiveFailures: false, failureRatio, observe: true });
      for (let n = 0; n < 3; n += 1) await w.call(fail);
      const next = { ...failureRatio, windowCalls };
      w.p.swap([circuitBreaker({ consecutiveFailures: false, failureRatio: next, observe: true })]);
      await w.call(fail);
      observed.push([w.circuit().state, w.circuit().observed]);
    }
    assert.deepEqual(observed, [
      ['observe', 'open'],
      ['observe', 'closed'],
    ]);
  });

  test('does not begin over what an operator has forced', async () => {
    for (const forced of ['disabled', 'forced-open', 'forced-closed'] as const) {
      const w = setUp({});
      w.registry.force('p', forced, { forMs: 1_000 });
      w.p.swap([circuitBreaker({ observe: true })]);
      assert.equal(w.circuit().state, forced);
    }
  });

  test('keeps a force over a swap to one that acts', async () => {
    const w = setUp({ observe: true });
    w.registry.force('p', 'forced-open', { forMs: 1_000 });
    assert.deepEqual(w.told(), ['circuit observe > forced-open: forced by hand for 1000 ms']);
    w.p.swap([circuitBreaker()]);
    assert.deepEqual([w.circuit().state, w.circuit().expiresInMs], ['forced-open', 1_000]);
  });

  test('would refuse as busy while its probe is running', async () => {
    const w = setUp({ consecutiveFailures: 1, openMs: 100, observe: true });
    await w.call(fail);
    await w.clock.advance(100);
    const probe = w.p.execute(() => w.clock.sleep(50));
    await w.call(ok);
    assert.equal(w.told().at(-1), 'would-refuse CIRCUIT_BUSY');
    await w.clock.run(() => probe);
  });

  test('may be forced open all the same, and observes again after', async () => {
    const { call, circuit, clock, registry } = setUp({ consecutiveFailures: 1, observe: true });
    registry.force('p', 'forced-open', { forMs: 1_000 });
    assert.equal(((await call(ok)) as { code: string }).code, 'CIRCUIT_OPEN');
    await clock.advance(1_000);
    assert.equal(await call(ok), 'up');
    assert.deepEqual([circuit().state, circuit().observed], ['observe', 'closed']);
  });

  test('is explained as one that refuses nothing', () => {
    const { p } = setUp({ observe: true });
    assert.deepEqual(p.explain().refusals, []);
    assert.equal(
      p.explain().words[1],
      '"circuit" refuses nothing, and says what it would refuse: calls for 10000 ms after 5 failures in a row.',
    );
  });
});

function setUp(options: CircuitBreakerOptions) {
  const clock = new VirtualClock();
  const registry = createRegistry();
  const { events, listener } = record();
  const p = pipeline('p', [circuitBreaker(options)], { clock, registry, report: listener });
  const call = (fn: () => Promise<unknown>) =>
    clock.run(() => p.execute(fn).catch((error: unknown) => error));
  const circuit = () => p.inspect().policies[0]!.circuit!;
  return { p, clock, registry, call, circuit, told: () => events.flatMap(inWords) };
}

function inWords(event: PolicyEvent): string[] {
  if (event.type === 'would-refuse') return [`would-refuse ${event.code}`];
  if (event.type !== 'circuit' && event.type !== 'circuit-observed') return [];
  return [`${event.type} ${event.from} > ${event.to}: ${event.why}`];
}
