import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type TurnRules, turnsOf } from './turns.ts';

const steps = fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 40 }) }), {
  maxLength: 150,
  size: 'max',
});

describe('turns', () => {
  test('of a token bucket are those of one that counts tokens', () => {
    const rules = fc.record({
      limit: fc.integer({ min: 1, max: 20 }),
      intervalMs: fc.constantFrom(10, 100, 1_000),
      burst: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(rules, steps, (given, visits) => {
        const turns = turnsOf({ ...given, algorithm: 'token-bucket', warmUpMs: 0 });
        const everyMs = given.intervalMs / given.limit;
        let nowMs = 7;
        let tokens = given.burst;
        let lastMs = nowMs;
        for (const { waitMs } of visits) {
          nowMs += waitMs;
          tokens = Math.min(given.burst, tokens + (nowMs - lastMs) / everyMs);
          lastMs = nowMs;
          const toWaitMs = turns.take(nowMs, 0);
          // A token that is there but for a rounding is there.
          const there = tokens > 1 - 1e-6;
          assert.equal(toWaitMs === 0, there, `${tokens} tokens`);
          if (there) tokens -= 1;
          else assert.ok(Math.abs(toWaitMs - (1 - tokens) * everyMs) < 1e-3);
        }
      }),
    );
  });

  test('of a sliding window never are more than the limit, wherever the window begins', () => {
    const rules = fc.record({
      limit: fc.integer({ min: 1, max: 10 }),
      intervalMs: fc.constantFrom(10, 100, 300),
      maxWaitMs: fc.constantFrom(0, 50),
    });
    fc.assert(
      fc.property(rules, steps, ({ limit, intervalMs, maxWaitMs }, visits) => {
        const turns = turnsOf({ ...plain, limit, intervalMs, algorithm: 'sliding-window' });
        let nowMs = 0;
        const atMs: number[] = [];
        for (const { waitMs } of visits) {
          nowMs += waitMs;
          const toWaitMs = turns.take(nowMs, maxWaitMs);
          const recent = atMs.filter((at) => at > nowMs - intervalMs);
          const freeAtMs =
            recent.length < limit ? nowMs : recent[recent.length - limit]! + intervalMs;
          assert.equal(toWaitMs, freeAtMs - nowMs);
          if (toWaitMs <= maxWaitMs) atMs.push(freeAtMs);
        }
        for (const at of atMs) {
          const within = atMs.filter((other) => other >= at && other < at + intervalMs);
          assert.ok(within.length <= limit, `${within.length} from ${at} on`);
        }
      }),
    );
  });

  test('are promised in order, each later than the one before', () => {
    const turns = turnsOf({ ...plain, limit: 10, intervalMs: 1_000, burst: 2 });
    const waits = Array.from({ length: 5 }, () => turns.take(0, 10_000));
    assert.deepEqual(waits, [0, 0, 100, 200, 300]);
  });

  test('say how long one waits behind others: until the turn that it would then be promised', () => {
    const rules = fc.record({
      algorithm: fc.constantFrom('token-bucket' as const, 'sliding-window' as const),
      limit: fc.integer({ min: 1, max: 7 }),
      intervalMs: fc.constantFrom(10, 100, 1_000),
      burst: fc.integer({ min: 1, max: 7 }),
      warmUpMs: fc.constantFrom(0, 0, 300),
    });
    fc.assert(
      fc.property(rules, steps, fc.nat(20), (given, visits, ahead) => {
        const warm = given.warmUpMs > 0 ? { algorithm: 'token-bucket' as const } : {};
        const [asked, promised] = [0, 1].map(() => turnsOf({ ...given, ...warm }));
        let nowMs = 7;
        for (const { waitMs } of visits) {
          nowMs += waitMs;
          for (const turns of [asked!, promised!]) turns.take(nowMs, 0);
        }
        const waitMs = asked!.waitMs(nowMs, ahead);
        for (let before = 0; before < ahead; before += 1) promised!.take(nowMs, Infinity);
        const promisedMs = promised!.take(nowMs, Infinity);
        assert.ok(Math.abs(waitMs - promisedMs) < 1e-3, `${waitMs}, not ${promisedMs}`);
        assert.ok(Math.abs(asked!.waitMs(nowMs, ahead) - waitMs) < 1e-9, 'asking takes nothing');
      }),
    );
  });

  test('come at a third of the rate at first and at the full rate when it is warm', () => {
    const turns = turnsOf({ ...plain, limit: 100, intervalMs: 1_000, warmUpMs: 2_000 });
    const perSecond = [0, 0, 0, 0, 0];
    for (let nowMs = 0; nowMs < 5_000; nowMs += 1) {
      if (turns.take(nowMs, 0) === 0) perSecond[Math.floor(nowMs / 1_000)]! += 1;
    }
    const [first = 0, second = 0, ...warm] = perSecond;
    assert.ok(first >= 33 && first <= 50, `${first} in the first second`);
    assert.ok(second > first && second < 100, `${second} in the second`);
    // Whole milliseconds are asked at: a turn of every 10 ms is never late by more than one.
    assert.ok(
      warm.every((count) => count >= 90 && count <= 101),
      warm.join(),
    );
  });

  test('grow cold again while nobody comes', () => {
    const turns = turnsOf({ ...plain, limit: 100, intervalMs: 1_000, warmUpMs: 2_000 });
    let nowMs = 0;
    const inOneSecond = () => {
      let count = 0;
      for (const endMs = nowMs + 1_000; nowMs < endMs; nowMs += 1) {
        if (turns.take(nowMs, 0) === 0) count += 1;
      }
      return count;
    };
    const cold = inOneSecond();
    for (let second = 0; second < 4; second += 1) inOneSecond();
    const warm = inOneSecond();
    nowMs += 60_000;
    assert.deepEqual([inOneSecond() - cold <= 1, warm > 2 * cold - 5], [true, true]);
  });
});

const plain: TurnRules = {
  algorithm: 'token-bucket',
  limit: 1,
  intervalMs: 1_000,
  burst: 1,
  warmUpMs: 0,
};
