import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { circuitBreaker } from '../breaker/breaker.ts';
import { pipeline } from '../pipeline.ts';
import { createRegistry } from '../registry.ts';
import { retry } from '../retry/retry.ts';
import { timeout } from '../timeout/timeout.ts';
import { seededRandom } from './seeded-random.ts';
import { timeline } from './timeline.ts';
import { VirtualClock } from './virtual-clock.ts';
import { virtualTimers } from './virtual-timers.ts';

describe('a timeline', () => {
  test('tells a run in lines that are the same each time', async () => {
    const first = await play();
    assert.equal(
      first,
      `     100 ms  p #1 timeout: timeout limitMs=100 attempt=1
     100 ms  p #1: attempt attempt=1 outcome="timeout" durationMs=100 error="TimedOutError: \\"timeout\\" gave up after 100 ms."
     100 ms  p #1 circuit: circuit from="closed" to="open" why="1 failure" error="TimedOutError: \\"timeout\\" gave up after 100 ms."
     100 ms  p #1 retry: retry attempt=1 delayMs=125.415 error="TimedOutError: \\"timeout\\" gave up after 100 ms."
 225.415 ms  p #1 circuit: refused code="CIRCUIT_OPEN"
 225.415 ms  p #1 retry: retry-stopped attempts=2 why="refused" error="CircuitOpenError: Circuit \\"circuit\\" is open. Try again in 9875 ms."
 225.415 ms  p #1: call attempts=1 degraded=false outcome="refused" durationMs=225.415 error="CircuitOpenError: Circuit \\"circuit\\" is open. Try again in 9875 ms."
`,
    );
    assert.equal(await play(), first);
  });
});

test('a timeline numbers calls, and leaves out what is not known; what no call did has no number', async () => {
  const clock = new VirtualClock();
  const told = timeline(clock);
  const registry = createRegistry();
  const p = pipeline('p', [circuitBreaker()], { clock, registry, report: told.listener });
  registry.force('p', 'forced-open');
  await p.execute(() => 1).catch(() => {});
  const [forced, ...others] = told.text().split('\n');
  assert.equal(
    forced,
    '       0 ms  p circuit: circuit from="closed" to="forced-open" why="forced by hand for 300000 ms"',
  );
  assert.ok(
    others.filter(Boolean).every((line) => line.includes('  p #1')),
    told.text(),
  );
  assert.ok(!told.text().includes('undefined'), told.text());
});

describe('virtual timers', () => {
  test('give a signal the reason that the platform gives, and have nothing to clear of none', async () => {
    const clock = new VirtualClock();
    const timers = virtualTimers(clock);
    timers.clearInterval(undefined);
    const signal = timers.abortAfter(5);
    await clock.advance(5);
    const real = await new Promise<Error>((resolve) => {
      const other = AbortSignal.timeout(0);
      // A signal's own timer keeps no process.
      const alive = setTimeout(() => {}, 60_000);
      other.addEventListener('abort', () => {
        clearTimeout(alive);
        resolve(other.reason);
      });
    });
    assert.deepEqual(
      [signal.reason.message, signal.reason.name, signal.reason.code],
      [real.message, real.name, (real as DOMException).code],
    );
  });

  test('fire when their clock gets there, in order, and not when they were cleared', async () => {
    const clock = new VirtualClock();
    const timers = virtualTimers(clock);
    const fired: string[] = [];
    const say = (what: string) => () => void fired.push(`${what} ${timers.now()}`);
    timers.setTimeout(say('late'), 300);
    timers.setTimeout(say('soon'), 10);
    timers.clearTimeout(timers.setTimeout(say('never'), 20));
    timers.clearTimeout(undefined);
    const every = timers.setInterval(say('every'), 100);
    const signal = timers.abortAfter(50);
    await clock.advance(250);
    timers.clearInterval(every);
    await clock.advance(250);
    assert.deepEqual(
      [fired, signal.reason.name, clock.pendingTimers],
      [['soon 10', 'every 100', 'every 200', 'late 300'], 'TimeoutError', 0],
    );
  });
});

async function play(): Promise<string> {
  const clock = new VirtualClock();
  const told = timeline(clock);
  const policies = [retry(), circuitBreaker({ consecutiveFailures: 1 }), timeout({ limitMs: 100 })];
  const p = pipeline('p', policies, { clock, random: seededRandom(1), report: told.listener });
  await clock.run(() => p.execute(() => new Promise(() => {})).catch(() => {}));
  return told.text();
}
