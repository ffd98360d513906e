import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pipeline } from '../pipeline.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { adaptiveLimit } from './adaptive-limit.ts';
import { type AlgorithmRules, algorithmOf } from './algorithms.ts';

const rules: AlgorithmRules = {
  algorithm: 'gradient2',
  initialLimit: 100,
  minLimit: 20,
  maxLimit: 100,
  timeoutMs: 5_000,
  tolerance: 1.5,
  windowMs: 1_000,
  probeEvery: 40,
};
type Window = readonly [rttMs: number, inFlight: number];

describe('a probe of an adaptive limit', () => {
  test('takes 30 % off for a window, and puts them back where calls take as long as before', () => {
    for (const algorithm of ['gradient2', 'vegas'] as const) {
      const full = (limit: number): Window => [50, limit];
      const limits = play({ algorithm }, 65, full);
      // The first when the average is warm, the next after three quarters of 40 windows more.
      const probes = limits.flatMap((limit, n) => (limit === 100 ? [] : [[n + 1, limit]]));
      assert.deepEqual(probes, [
        [10, 70],
        [41, 70],
      ]);
    }
  });

  test('leaves the limit low where calls become quicker, and goes on until they do not', () => {
    const queue = (limit: number): Window => [2 * Math.max(25, limit), limit];
    const limits = play({}, 19, queue);
    assert.deepEqual(limits.slice(8, 18), [100, 70, 70, 49, 49, 34, 34, 24, 24, 20]);
    // What it took for normal was the queue: it has room for a new one, and finds that out as well.
    assert.ok(Math.max(...play({}, 300, queue).slice(18)) < 45);
  });

  test('leaves that of vegas low as well, and what each call moves, after as many calls as the limit', () => {
    const queue = (limit: number): Window => [2 * Math.max(25, limit), limit];
    const vegas = play({ algorithm: 'vegas' }, 20, queue);
    assert.deepEqual(vegas.slice(8), [100, 70, 70, 53, 53, 41, 41, 32, 32, 26, 26, 22]);
    const steps = (algorithm: AlgorithmRules['algorithm']) => {
      const limits = play({ algorithm, windowMs: 0 }, 1_220, queue);
      const levels = [...new Set(limits)].slice(1, 5);
      return levels.map((level) => [level, limits.filter((limit) => limit === level).length]);
    };
    assert.deepEqual(steps('vegas'), [
      [70, 71],
      [53, 54],
      [41, 42],
      [28, 29],
    ]);
    assert.deepEqual(steps('gradient2'), [
      [70, 71],
      [49, 51],
      [34, 35],
      [24, 25],
    ]);
  });

  test('goes no lower than the least limit, from which the formula goes on', () => {
    const queue = (limit: number): Window => [2 * Math.max(10, limit), limit];
    const limits = play({ initialLimit: 28, maxLimit: 28 }, 14, queue);
    assert.deepEqual(limits.slice(8, 12), [28, 20, 20, 20.8]);
  });

  test('counts no window with calls from before it, and waits ten for these to end', () => {
    const late = (limit: number, n: number): Window => [50, n < 13 ? 100 : limit];
    assert.deepEqual(play({}, 15, late).slice(8), [100, 70, 70, 70, 70, 100, 100]);
    const always = (): Window => [10, 100];
    assert.deepEqual(play({}, 21, always).slice(8), [100, ...Array(10).fill(70), 100, 100]);
  });

  test('is not made while the lower limit would hold nobody back', () => {
    const limits = play({}, 50, () => [50, 70]);
    assert.deepEqual(new Set(limits), new Set([100]));
    assert.equal(play({}, 50, (_, n) => [50, n < 30 ? 70 : 71])[30], 70);
  });

  test('is not made where the limit is near its least, or where none is asked for', () => {
    for (const options of [{ minLimit: 91 }, { probeEvery: Infinity }]) {
      const limits = play(options, 200, (limit) => [2 * limit, limit]);
      assert.deepEqual(new Set(limits), new Set([100]));
    }
    assert.equal(play({ minLimit: 90 }, 10, (limit) => [50, limit]).at(-1), 90);
  });

  test('counts as many calls as the limit for a window where each call moves the limit', () => {
    const limits = play({ windowMs: 0 }, 1_300, (limit) => [50, limit]);
    const first = limits.indexOf(70);
    const calls = limits.filter((limit) => limit === 70).length;
    assert.ok(first >= 998 && first <= 1_001, `the first begins after ${first} calls`);
    assert.ok(calls >= 69 && calls <= 71, `it takes ${calls} calls`);
  });

  test('follows other rules: another measure, other bounds, another time for the next', () => {
    const full = (limit: number): Window => [50, limit];
    const swapped = (when: number, other: Partial<AlgorithmRules>, given = {}) =>
      play(given, 20, full, { when, to: { ...rules, ...given, ...other } });
    const untouched = play({}, 20, full);
    assert.equal(untouched[9], 70);
    // The same rules again disturb nothing, not even a probe under way.
    assert.deepEqual(swapped(10, {}), untouched);
    assert.deepEqual(swapped(5, {}), untouched);
    // A probe that the new bounds would not have is given up for one within them.
    assert.deepEqual(swapped(10, { minLimit: 80 }).slice(9, 11), [70, 80]);
    assert.deepEqual(swapped(10, { maxLimit: 60 }).slice(9, 11), [70, 42]);
    // No more probes; or the first of those that nobody made before.
    assert.ok(!swapped(5, { probeEvery: Infinity }).includes(70));
    assert.equal(swapped(5, { probeEvery: 40 }, { probeEvery: Infinity }).indexOf(70), 14);
    assert.deepEqual(swapped(10, { probeEvery: 50 }).slice(9, 11), [70, 100]);
  });

  test('is told as one, with what it changes', async () => {
    const clock = new VirtualClock();
    const { events, listener } = record();
    const random = { next: () => 0.5 };
    const limited = adaptiveLimit({ minLimit: 1, initialLimit: 10, maxLimit: 10, minSamples: 1 });
    const p = pipeline('p', [limited], { clock, random, report: listener });
    const busy = async () => {
      while (clock.now() < 13_000)
        await p.execute(() => clock.sleep(100)).catch(() => clock.sleep(100));
    };
    await clock.run(() => Promise.all(Array.from({ length: 10 }, busy)));
    const told = events.flatMap((event) =>
      event.type === 'limit' ? [`${event.from} to ${event.to}: ${event.why}`] : [],
    );
    assert.deepEqual(told, [
      '10 to 7: a probe of less: calls took 100 ms with 10 at a time, none was dropped',
      '7 to 10: calls took 100 ms with 7 at a time, none was dropped',
    ]);
  });
});

/** What the limit was after each window, given what each window was like. */
function play(
  options: Partial<AlgorithmRules>,
  windows: number,
  next: (limit: number, n: number) => Window,
  swap?: { readonly when: number; readonly to: AlgorithmRules },
): number[] {
  const live = algorithmOf({ ...rules, ...options });
  return Array.from({ length: windows }, (_, n) => {
    if (n === swap?.when) live.follow(swap.to);
    const [rttMs, inFlight] = next(live.limit, n);
    live.sample(rttMs, inFlight, false, 0.5);
    return Math.round(live.limit * 1_000) / 1_000;
  });
}
