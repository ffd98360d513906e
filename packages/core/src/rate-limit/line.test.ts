import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { newLink } from '../queue-link.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { type InLine, Line } from './line.ts';
import { HAIR_MS, type TurnRules, turnsOf } from './turns.ts';

describe('a line of those who wait for a turn', () => {
  test('is served in order, each as soon as there is a token, whoever comes and goes', () => {
    const rules = fc.record({
      everyMs: fc.integer({ min: 1, max: 9 }),
      burst: fc.integer({ min: 1, max: 4 }),
    });
    const step = fc.record({
      what: fc.constantFrom('come', 'come', 'leave', 'wait'),
      pick: fc.nat(12),
    });
    fc.assert(
      fc.property(rules, fc.array(step, { maxLength: 120, size: 'max' }), (given, steps) => {
        const { everyMs, burst } = given;
        const w = setUp({ intervalMs: everyMs, burst });
        const waiting: string[] = [];
        const served: string[] = [];
        let tokens = burst;
        let names = 0;
        const serve = () => {
          while (waiting.length > 0 && tokens > 1 - HAIR_MS) {
            tokens -= 1;
            served.push(`${waiting.shift()} ${w.nowMs}`);
          }
        };
        for (const { what, pick } of steps) {
          if (what === 'come') {
            names += 1;
            waiting.push(`${names}`);
            w.come(`${names}`);
            serve();
          } else if (what === 'leave' && waiting.length > 0) {
            const [name] = waiting.splice(pick % waiting.length, 1);
            w.leave(name!);
          } else if (what === 'wait') {
            for (let ms = 0; ms < pick; ms += 1) {
              w.pass(1);
              tokens = Math.min(burst, tokens + 1 / everyMs);
              serve();
            }
          }
          assert.deepEqual(w.served, served);
          assert.equal(w.armed, waiting.length > 0, 'it waits where somebody does, and else not');
        }
      }),
      { numRuns: 300 },
    );
  });

  test('that is served late by as much as timers are goes on at its rate', () => {
    const w = setUp({});
    for (let n = 0; n < 12; n += 1) w.come(`${n}`);
    w.pass(35);
    w.pass(5);
    w.pass(7);
    assert.deepEqual(w.times(), [0, 35, 35, 35, 40]);
    w.pass(3);
    assert.deepEqual(w.times().slice(5), [50]);
  });

  test('has a burst at once after an hour in which nothing ran, and not what the hour would have had', () => {
    const w = setUp({ burst: 3 });
    for (let n = 0; n < 100; n += 1) w.come(`${n}`);
    w.pass(3_600_000);
    const atOnce = w.times().length - 3;
    // The burst, and what was due within the 50 ms by which a timer may be late.
    assert.equal(atOnce, 3 + 5);
    w.pass(10);
    assert.equal(w.times().length, 3 + atOnce + 1);
  });

  test('of a sliding window holds no more than the limit, however late it is served', () => {
    const w = setUp({ algorithm: 'sliding-window', limit: 2, intervalMs: 100 });
    for (let n = 0; n < 9; n += 1) w.come(`${n}`);
    for (const ms of [140, 60, 50, 600, 99, 1]) w.pass(ms);
    assert.deepEqual(w.times(), [0, 0, 140, 140, 250, 250, 850, 850, 950]);
  });

  test('takes whom a turn that was given brings along, behind those who wait', () => {
    const w = setUp({});
    w.come('first');
    w.come('second', () => {
      w.leave('third');
      w.come('fifth');
    });
    w.come('third');
    w.come('fourth');
    for (const ms of [10, 10, 10, 10]) w.pass(ms);
    assert.deepEqual(w.served, ['first 0', 'second 10', 'fourth 20', 'fifth 30']);
    assert.equal(w.armed, false);
  });

  test('gives a million turns of a rate that no whole number of milliseconds divides without drifting', () => {
    const turns = turnsOf({ algorithm: 'token-bucket', ...PLAIN, limit: 7, intervalMs: 1_000 });
    let atMs = 0;
    for (let n = 0; n < 1_000_000; n += 1) {
      atMs += turns.waitMs(atMs, 0);
      turns.take(atMs, 0);
    }
    assert.ok(Math.abs(atMs - (999_999 * 1_000) / 7) < 0.1, `${atMs}`);
  });
});

/** One turn in 10 ms, and no burst. */
const PLAIN = { limit: 1, intervalMs: 10, burst: 1, warmUpMs: 0 };

/** A line whose timer fires when time has passed, all of it at once: as late as that was long. */
function setUp(rules: Partial<TurnRules>) {
  const served: string[] = [];
  const inLine = new Map<string, InLine>();
  let nowMs = 0;
  let armed: { readonly fire: () => void; readonly dueMs: number } | undefined;
  const clock = Object.assign(new VirtualClock(), {
    now: () => nowMs,
    timer(ms: number, fire: () => void) {
      assert.equal(armed, undefined, 'one timer is enough');
      armed = { fire, dueMs: nowMs + ms };
      return {
        cancel() {
          armed = undefined;
        },
      };
    },
  });
  const line = new Line(clock, turnsOf({ algorithm: 'token-bucket', ...PLAIN, ...rules }));
  return {
    served,
    times: () => served.map((one) => Number(one.split(' ')[1])),
    get nowMs() {
      return nowMs;
    },
    get armed() {
      return armed !== undefined;
    },
    come(name: string, then = () => {}) {
      const waitMs = line.arrive(nowMs);
      const hasTurn = () => {
        inLine.delete(name);
        served.push(`${name} ${nowMs}`);
        then();
      };
      if (waitMs === 0) return hasTurn();
      const one = Object.assign(newLink(), { hasTurn });
      inLine.set(name, one);
      line.join(one, nowMs, waitMs);
    },
    leave(name: string) {
      line.leave(inLine.get(name)!);
      inLine.delete(name);
    },
    pass(ms: number) {
      nowMs += ms;
      if (armed === undefined || armed.dueMs > nowMs + HAIR_MS) return;
      const { fire } = armed;
      armed = undefined;
      fire();
    },
  };
}
