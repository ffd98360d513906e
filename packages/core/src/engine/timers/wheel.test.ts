import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Alarm } from './alarm.ts';
import { TICK_MS, Wheel } from './wheel.ts';

describe('the wheel', () => {
  test('rings no alarm early, and within two ticks while it turns in time', () => {
    const arming = fc.record({
      atMs: fc.double({ min: 0, max: 3_000, noNaN: true }),
      ms: fc.double({ min: 0.1, max: 5_000, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(arming, { minLength: 1, maxLength: 40, size: 'max' }), (armings) => {
        const world = fakeTime();
        const rung: number[] = [];
        const pending = [...armings].sort((a, b) => a.atMs - b.atMs);
        const lateness: number[] = [];
        while (pending.length > 0 || rung.length < armings.length) {
          const next = pending[0];
          if (next !== undefined && next.atMs <= world.nextTurnMs()) {
            pending.shift();
            world.nowMs = Math.max(world.nowMs, next.atMs);
            const armedMs = world.nowMs;
            const bell = {
              ring: () => {
                rung.push(world.nowMs);
                lateness.push(world.nowMs - armedMs - next.ms);
              },
            };
            world.wheel.arm(new Alarm(bell), next.ms);
          } else {
            world.turn();
          }
        }
        assert.deepEqual(
          lateness.filter((ms) => ms < 0 || ms > 2 * TICK_MS + 0.001),
          [],
        );
      }),
      { numRuns: 60 },
    );
  });

  test('rings all that is overdue after a pause longer than the wheel is round', () => {
    const world = fakeTime();
    const rung: string[] = [];
    const arm = (name: string, ms: number) =>
      world.wheel.arm(new Alarm({ ring: () => rung.push(name) }), ms);
    arm('soon', 10);
    arm('later', 3_000);
    arm('much later', 60_000);
    world.turn();
    world.nowMs += 30_000;
    world.turn();
    assert.deepEqual(rung.sort(), ['later', 'soon']);
  });

  test('does not count a blocked event loop against a call that began before it', () => {
    const world = fakeTime();
    let rung = false;
    world.wheel.arm(
      new Alarm({
        ring: () => {
          rung = true;
        },
      }),
      100,
    );
    world.nowMs += 500;
    world.turn();
    assert.equal(rung, false, 'answers that wait in the socket come first');
    world.nowMs += 100 + TICK_MS;
    world.turn();
    assert.equal(rung, true);
  });

  test('rings at its next turn what was armed for no time at all', () => {
    const world = fakeTime();
    let rung = 0;
    world.wheel.arm(new Alarm({ ring: () => (rung += 1) }), 0);
    world.turn();
    assert.deepEqual([rung, world.isTurning()], [1, true]);
    world.turn();
    assert.deepEqual([rung, world.isTurning()], [1, false]);
  });

  test('lets a ringing alarm disarm another that is due', () => {
    const world = fakeTime();
    const rung: string[] = [];
    const second = new Alarm({ ring: () => rung.push('second') });
    const first = new Alarm({
      ring: () => {
        rung.push('first');
        world.wheel.disarm(second);
      },
    });
    world.wheel.arm(first, 10);
    world.wheel.arm(second, 10);
    for (let i = 0; i < 10; i += 1) world.turn();
    assert.deepEqual(rung, ['first']);
  });

  test('stops its timer when nothing is armed, and begins again', () => {
    const world = fakeTime();
    const alarm = new Alarm({ ring: () => {} });
    assert.equal(world.isTurning(), false);
    world.wheel.arm(alarm, 10);
    assert.equal(world.isTurning(), true);
    world.wheel.disarm(alarm);
    world.wheel.disarm(alarm);
    world.turn();
    assert.equal(world.isTurning(), false);
    world.wheel.arm(alarm, 10);
    assert.equal(world.isTurning(), true);
  });

  test('an alarm disarmed and armed again within one tick counts from the second time alone', () => {
    const world = fakeTime();
    const rung: number[] = [];
    const alarm = new Alarm({ ring: () => rung.push(world.nowMs) });
    world.wheel.arm(alarm, 1);
    world.wheel.disarm(alarm);
    assert.equal(world.wheel.remainingMs(alarm), Infinity);
    world.nowMs += 1;
    const armedMs = world.nowMs;
    world.wheel.arm(alarm, 20);
    while (world.isTurning()) world.turn();
    assert.equal(rung.length, 1);
    const lateMs = rung[0]! - armedMs - 20;
    assert.ok(lateMs >= 0 && lateMs <= 2 * TICK_MS, `${lateMs} ms late`);
  });

  test('tells what is left of an alarm, whole when it has only just been armed', () => {
    const world = fakeTime();
    const alarm = new Alarm({ ring: () => {} });
    assert.equal(world.wheel.remainingMs(alarm), Infinity);
    world.wheel.arm(alarm, 100);
    assert.equal(world.wheel.remainingMs(alarm), 100);
    world.nowMs += 30;
    assert.equal(world.wheel.remainingMs(alarm), 70);
  });
});

/** A wheel whose time is a variable and whose timer is turned by hand. */
function fakeTime() {
  let turn: (() => void) | undefined;
  let lastTurnMs = 0;
  const time = { nowMs: 1_000.3 };
  const wheel = new Wheel(
    () => time.nowMs,
    (_ms, fn) => {
      turn = fn;
      lastTurnMs = time.nowMs;
      return () => {
        turn = undefined;
      };
    },
  );
  return Object.assign(time, {
    wheel,
    isTurning: () => turn !== undefined,
    nextTurnMs: () => (turn === undefined ? Infinity : lastTurnMs + TICK_MS),
    turn() {
      time.nowMs = Math.max(time.nowMs, lastTurnMs + TICK_MS);
      lastTurnMs = time.nowMs;
      turn?.();
    },
  });
}
