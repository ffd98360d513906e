import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

describe('the virtual clock', () => {
  test('fires timers in order of time, then in the order in which they were set', async () => {
    const anyTimers = fc.array(fc.record({ ms: fc.nat(20), cancelled: fc.boolean() }), {
      maxLength: 60,
      size: 'max',
    });
    await fc.assert(
      fc.asyncProperty(anyTimers, async (timers) => {
        const clock = new VirtualClock();
        const fired: Array<[number, number]> = [];
        timers.forEach(({ ms, cancelled }, i) => {
          const timer = clock.timer(ms, () => fired.push([clock.now(), i]));
          if (cancelled) timer.cancel();
        });
        await clock.advance(20);
        const expected = timers
          .flatMap(({ ms, cancelled }, i) => (cancelled ? [] : [[ms, i] as const]))
          .sort(([a, i], [b, j]) => a - b || i - j);
        assert.deepEqual(fired, expected);
        assert.equal(clock.pendingTimers, 0);
      }),
      { numRuns: 30 },
    );
  });

  test('runs an hour of waiting in no time', async () => {
    const clock = new VirtualClock();
    const slept = await clock.run(async () => {
      for (let i = 0; i < 60; i += 1) await clock.sleep(60_000);
      return clock.now();
    });
    assert.deepEqual([slept, clock.wallMs()], [3_600_000, 3_600_000]);
  });

  test('its wall clock shows whole milliseconds, as the real one does', async () => {
    const clock = new VirtualClock();
    await clock.advance(1.75);
    assert.deepEqual([clock.now(), clock.wallMs()], [1.75, 1]);
  });

  test('says so when the work can never end', async () => {
    const clock = new VirtualClock();
    await assert.rejects(
      clock.run(() => new Promise(() => {})),
      /^Error: Deadlock/,
    );
  });

  test('does not jump to a wait without end', async () => {
    const clock = new VirtualClock();
    const caller = new AbortController();
    const forEver = clock.sleep(Infinity, caller.signal);
    await assert.rejects(
      clock.run(() => forEver),
      /^Error: Deadlock/,
    );
    assert.deepEqual([clock.now(), clock.pendingTimers], [0, 1]);
    caller.abort('gone');
    await assert.rejects(forEver, (reason) => reason === 'gone');
    assert.equal(clock.pendingTimers, 0);
  });

  test('rejects as the work does', async () => {
    const clock = new VirtualClock();
    await assert.rejects(
      clock.run(() => Promise.reject(new Error('down'))),
      /down/,
    );
    const thrown = clock.run(() => {
      throw new Error('at once');
    });
    await assert.rejects(thrown, /at once/);
  });

  test('ends a sleep with its signal’s reason, and leaves nothing behind', async () => {
    const clock = new VirtualClock();
    const caller = new AbortController();
    const slept = clock.sleep(100, caller.signal).catch((reason: unknown) => [reason, clock.now()]);
    await clock.advance(30);
    caller.abort('gone');
    assert.deepEqual(await slept, ['gone', 30]);
    await assert.rejects(clock.sleep(100, caller.signal), (reason) => reason === 'gone');
    const other = new AbortController();
    await clock.run(() => clock.sleep(5, other.signal));
    assert.deepEqual(
      [clock.pendingTimers, getEventListeners(other.signal, 'abort').length],
      [0, 0],
    );
  });

  test('jumps its wall clock without moving', () => {
    const clock = new VirtualClock();
    clock.jumpWall(-5_000);
    assert.deepEqual([clock.now(), clock.wallMs()], [0, -5_000]);
  });
});

test('a virtual clock runs where there is no setImmediate, as in browsers', async () => {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'setImmediate')!;
  Object.defineProperty(globalThis, 'setImmediate', { value: undefined, configurable: true });
  try {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const slept = clock.run(async () => {
      await clock.sleep(100);
      for (let n = 0; n < 20; n += 1) await null;
      seen.push('after promises');
      await clock.sleep(50);
      return clock.now();
    });
    clock.timer(120, () => seen.push('timer'));
    assert.deepEqual([await slept, seen], [150, ['after promises', 'timer']]);
  } finally {
    Object.defineProperty(globalThis, 'setImmediate', own);
  }
});

test('seeded chance repeats itself and covers [0, 1)', () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed);
    return Array.from({ length: 1_000 }, () => random.next());
  };
  const drawn = draw(7);
  assert.deepEqual(drawn, draw(7));
  assert.notDeepEqual(drawn, draw(8));
  assert.ok(drawn.every((x) => x >= 0 && x < 1));
  const mean = drawn.reduce((a, b) => a + b) / drawn.length;
  assert.ok(mean > 0.45 && mean < 0.55, `${mean}`);
});
