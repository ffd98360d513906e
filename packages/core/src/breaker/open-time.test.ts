import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTimeMs } from './open-time.ts';
import { type CircuitBreakerOptions, resolveCircuitBreakerOptions } from './options.ts';

const time = (given: CircuitBreakerOptions, before: number, chance = 0.5, hintMs = 0) =>
  openTimeMs({ before, chance, hintMs }, resolveCircuitBreakerOptions(given));

test('open time stays as it is unless it is told to grow', () => {
  assert.deepEqual([time({ openMs: 400 }, 0), time({ openMs: 400 }, 9)], [400, 400]);
});

test('open time grows by its factor up to its maximum, however often the circuit has opened', () => {
  const growing = { openMs: 100, openFactor: 3, openMaxMs: 1_000 };
  assert.deepEqual(
    [0, 1, 2, 3, 5_000].map((before) => time(growing, before)),
    [100, 300, 900, 1_000, 1_000],
  );
});

test('jitter spreads the open time evenly to both sides, beyond the maximum too', () => {
  const spread = { openMs: 1_000, openMaxMs: 1_000, openJitter: 0.5 };
  assert.deepEqual(
    [0, 0.25, 0.5, 1].map((chance) => time(spread, 0, chance)),
    [500, 750, 1_000, 1_500],
  );
});

test('a hint of the dependency lengthens the open time, up to its maximum, and never shortens it', () => {
  const rules = { openMs: 1_000, openMaxMs: 5_000 };
  assert.deepEqual(
    [500, 3_000, 60_000, Infinity].map((hintMs) => time(rules, 0, 0.5, hintMs)),
    [1_000, 3_000, 5_000, 5_000],
  );
});
