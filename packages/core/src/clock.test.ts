import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { LONGEST_TIMER_MS } from './check.ts';
import { systemClock } from './clock.ts';
import { pipeline } from './pipeline.ts';
import { systemRandom } from './random.ts';
import { retry } from './retry/retry.ts';
import { VirtualClock } from './testing/virtual-clock.ts';
import { virtualTimers } from './testing/virtual-timers.ts';
import { timeout } from './timeout/timeout.ts';

test('real chance is a number from 0 to less than 1, another each time', () => {
  const drawn = Array.from({ length: 100 }, () => systemRandom.next());
  assert.ok(drawn.every((x) => x >= 0 && x < 1));
  assert.ok(new Set(drawn).size > 90);
});

describe('the system clock', () => {
  test('fires no timer early', async () => {
    const early = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const ms = i / 4;
        const beganMs = systemClock.now();
        await systemClock.sleep(ms);
        return systemClock.now() - beganMs < ms;
      }),
    );
    assert.deepEqual(new Set(early), new Set([false]));
  });

  test('waits for the rest of what no timer of the platform can wait for at once, or rang for early', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let fired = 0;
    const month = systemClock.timer(30 * 86_400_000, () => (fired += 1));
    const soon = systemClock.timer(60_000, () => (fired += 1));
    // The platform says that all of it is over; by the clock nearly nothing is.
    for (let n = 0; n < 3; n += 1) t.mock.timers.tick(LONGEST_TIMER_MS);
    assert.equal(fired, 0);
    month.cancel();
    soon.cancel();
  });

  test('ends a sleep with its signal’s reason, and leaves no listener', async () => {
    const caller = new AbortController();
    const slept = systemClock.sleep(60_000, caller.signal);
    caller.abort('gone');
    await assert.rejects(slept, (reason) => reason === 'gone');
    assert.equal(getEventListeners(caller.signal, 'abort').length, 0);
  });

  test('leaves no listener on a signal that outlives its sleep, and does not begin one that is over', async () => {
    const caller = new AbortController();
    await systemClock.sleep(1, caller.signal);
    assert.equal(getEventListeners(caller.signal, 'abort').length, 0);
    caller.abort('gone');
    await assert.rejects(systemClock.sleep(60_000, caller.signal), (reason) => reason === 'gone');
  });

  test('shows the time of day', () => {
    const beganMs = Date.now();
    const shownMs = systemClock.wallMs();
    assert.ok(shownMs >= beganMs && shownMs <= Date.now(), `${shownMs}`);
  });

  test('cancels a timer, also after it fired, and twice', async () => {
    let fired = 0;
    const timer = systemClock.timer(0, () => (fired += 1));
    const cancelled = systemClock.timer(0, () => (fired += 1));
    cancelled.cancel();
    await systemClock.sleep(5);
    timer.cancel();
    timer.cancel();
    assert.equal(fired, 1);
  });

  test('does not take a wait of 30 days for one of 1 ms', async () => {
    let fired = false;
    const timer = systemClock.timer(30 * 86_400_000, () => {
      fired = true;
    });
    await systemClock.sleep(20);
    timer.cancel();
    assert.equal(fired, false);
  });

  test('has one timer for the time limits of all calls', async () => {
    const timers = () =>
      process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
    const p = pipeline('real', [timeout({ limitMs: 60_000 })], { registry: undefined });
    const caller = new AbortController();
    const before = timers();
    const calls = Array.from({ length: 100 }, () =>
      p.execute(() => new Promise(() => {}), { signal: caller.signal }).catch(() => {}),
    );
    assert.ok(timers() - before <= 1, `${timers() - before} timers`);
    caller.abort();
    await Promise.all(calls);
  });

  test('goes on when fake timers that were in place at its start are taken away', {
    timeout: 20_000,
  }, async (t) => {
    const p = pipeline('faked', [timeout({ limitMs: 20 })], { registry: undefined });
    // Longer than the shared timer outlasts the last call.
    await systemClock.sleep(20);
    const { clearInterval, setInterval } = globalThis;
    t.after(() => Object.assign(globalThis, { clearInterval, setInterval }));
    const never = () => undefined;
    Object.assign(globalThis, { setInterval: never, clearInterval: never });
    await p.execute(() => 1);
    Object.assign(globalThis, { clearInterval, setInterval });
    const patience = AbortSignal.timeout(5_000);
    // Keeps the process alive, should nothing else.
    const alive = setInterval(never, 1_000);
    const call = p.execute(() => new Promise(() => {}), { signal: patience });
    const code = await call.catch((error) => error.code);
    clearInterval(alive);
    assert.equal(code, 'TIMED_OUT');
  });

  test('is driven by fake timers that fake performance.now as well', {
    timeout: 20_000,
  }, async (t) => {
    const clock = new VirtualClock();
    const { clearInterval, clearTimeout, setInterval, setTimeout } = globalThis;
    const own = { clearInterval, clearTimeout, setInterval, setTimeout };
    t.after(() => Object.assign(globalThis, own));
    t.mock.method(performance, 'now', () => clock.now());
    Object.assign(globalThis, virtualTimers(clock));
    const policies = [retry({ maxRetries: 2, jitter: 'none' }), timeout({ limitMs: 60_000 })];
    const p = pipeline('faked', policies, { registry: undefined });
    const call = () => p.execute(() => new Promise(() => {})).catch((error) => error.code);
    assert.equal(await clock.run(call), 'TIMED_OUT');
    assert.ok(clock.now() >= 180_600 && clock.now() < 180_650, `${clock.now()} ms`);
  });

  test('ends real calls in time, by the shared wheel, and never early', async () => {
    const p = pipeline('real', [timeout({ limitMs: 30 })], { registry: undefined });
    const beganMs = systemClock.now();
    const code = await p.execute(() => new Promise(() => {})).catch((error) => error.code);
    const tookMs = systemClock.now() - beganMs;
    assert.equal(code, 'TIMED_OUT');
    assert.ok(tookMs >= 30, `${tookMs} ms`);
  });
});
