import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ForcedState } from '../../engine/stage.ts';
import { pipeline } from '../../pipeline.ts';
import { createRegistry } from '../../registry.ts';
import { record } from '../../testing/record.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { circuitBreaker } from '../breaker.ts';
import type { CircuitBreakerOptions } from '../options.ts';
import type { CircuitSnapshot } from './snapshot.ts';

const fail = () => Promise.reject(new Error('down'));
const ok = async () => 'up';
const options = { consecutiveFailures: 2, openMs: 1_000, openFactor: 2, halfOpenPermits: 2 };

describe('a circuit that goes on from an earlier life', () => {
  test('is open for the time that was left, and says so', async () => {
    const first = await live(options, [fail, fail], 400);
    const { call, circuit, clock, events } = revive(first);
    assert.deepEqual(circuit(), first);
    assert.deepEqual([first.state, first.retryAfterMs], ['open', 600]);
    assert.deepEqual(
      events.map((event) => event.type === 'circuit' && [event.from, event.to, event.why]),
      [['closed', 'open', '2 failures in a row']],
    );
    assert.equal(((await call(ok)) as { retryAfterMs: number }).retryAfterMs, 600);
    await clock.advance(600);
    await call(fail);
    assert.equal(circuit().retryAfterMs, 2_000, 'it knows that this is its second opening');
  });

  test('is half-open with the good probes it had, and waits for none of those in flight', async () => {
    const first = await live(options, [fail, fail], 1_000, [ok]);
    assert.deepEqual([first.state, first.counts.consecutiveSuccesses], ['half-open', 1]);
    const { call, circuit } = revive(first);
    assert.equal(await call(ok), 'up');
    assert.equal(circuit().state, 'closed');
  });

  test('is closed with its failures in a row', async () => {
    const first = await live(options, [ok, ok, fail]);
    const { call, circuit, events } = revive(first);
    assert.deepEqual([circuit(), first.counts.requests, events], [first, 3, []]);
    assert.ok(!('openings' in first), 'it has not opened yet');
    await call(fail);
    assert.equal(circuit().state, 'open');
  });

  test('keeps a force for as long as it had left', async () => {
    for (const forced of ['forced-open', 'forced-closed', 'disabled'] as const) {
      const first = await live(options, [], 300, [], forced);
      assert.deepEqual([first.state, first.expiresInMs], [forced, 700]);
      const { circuit, clock } = revive(first);
      await clock.advance(699);
      assert.equal(circuit().state, forced);
      await clock.advance(1);
      assert.equal(circuit().state, forced === 'forced-open' ? 'half-open' : 'closed');
    }
  });

  test('goes on observing where its options say so, from what it had observed', async () => {
    const observing = { ...options, observe: true };
    const first = await live(observing, [fail, fail]);
    assert.deepEqual([first.state, first.observed], ['observe', 'open']);
    assert.equal(revive(first, observing).circuit().observed, 'half-open', 'no time was left');
    assert.equal(revive(first).circuit().state, 'half-open');
    const halfOpen = await live(options, [fail, fail], 1_000, [ok]);
    const forced = await live(options, [], 300, [], 'forced-open');
    const acting = [
      await live(options, [fail]),
      await live(options, [fail, fail]),
      halfOpen,
      forced,
    ];
    assert.deepEqual(
      acting.map((snapshot) => [snapshot.state, revive(snapshot, observing).circuit().observed]),
      [
        ['closed', 'closed'],
        ['open', 'open'],
        ['half-open', 'half-open'],
        ['forced-open', 'closed'],
      ],
    );
    const { observed: _, ...unknown } = first;
    assert.equal(revive(unknown).circuit().state, 'closed', 'nobody says what it had observed');
  });

  test('is what it was before a swap, whatever the new policy’s earlier life was', async () => {
    const first = await live(options, [fail, fail]);
    const { p, circuit, call } = revive(await live(options, []));
    await call(fail);
    p.swap([circuitBreaker({ ...options, initial: first })]);
    assert.deepEqual([circuit().state, circuit().counts.consecutiveFailures], ['closed', 1]);
  });
});

/** Plays calls, lets time pass, plays more, and gives what a process would have saved as JSON. */
async function live(
  given: CircuitBreakerOptions,
  before: ReadonlyArray<() => Promise<unknown>>,
  afterMs = 0,
  then: ReadonlyArray<() => Promise<unknown>> = [],
  forced?: ForcedState,
): Promise<CircuitSnapshot> {
  const { call, circuit, clock, registry } = setUp(given);
  if (forced !== undefined) registry.force('p', forced, { forMs: 1_000 });
  for (const fn of before) await call(fn);
  await clock.advance(afterMs);
  for (const fn of then) await call(fn);
  return JSON.parse(JSON.stringify(circuit()));
}

const revive = (initial: CircuitSnapshot, given: CircuitBreakerOptions = options) =>
  setUp({ ...given, initial });

function setUp(given: CircuitBreakerOptions) {
  const clock = new VirtualClock();
  const registry = createRegistry();
  const { events, listener } = record();
  const p = pipeline('p', [circuitBreaker(given)], { clock, registry, report: listener });
  const call = (fn: () => Promise<unknown>) =>
    clock.run(() => p.execute(fn).catch((error: unknown) => error));
  return { p, clock, registry, events, call, circuit: () => p.inspect().policies[0]!.circuit! };
}
