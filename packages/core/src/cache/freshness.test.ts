import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from './entries.ts';
import { freshnessOf, isSpare, keepMs, type Lifetimes } from './freshness.ts';

const answer: Entry = {
  hasValue: true,
  value: 1,
  storedMs: 1_000,
  bytes: 0,
  error: undefined,
  errorUntilMs: -Infinity,
};
const times: Lifetimes = { ttlMs: 100, staleMs: 20, staleIfErrorMs: 50 };

test('an answer is fresh, then stale, then to spare, then nothing, each from its own millisecond on', () => {
  const at = (ageMs: number, entry: Entry | undefined = answer) =>
    freshnessOf(entry, 1_000 + ageMs, times);
  assert.deepEqual(
    [0, 99, 100, 119, 120, 149, 150].map((ageMs) => at(ageMs)),
    ['fresh', 'fresh', 'stale', 'stale', 'spare', 'spare', 'nothing'],
  );
  const failed = { ...answer, errorUntilMs: 1_130 };
  assert.deepEqual(
    [99, 100, 129, 130].map((ageMs) => at(ageMs, failed)),
    ['fresh', 'failed', 'failed', 'spare'],
  );
  const error = { ...failed, hasValue: false };
  assert.deepEqual(
    [0, 129, 130].map((ageMs) => at(ageMs, error)),
    ['failed', 'failed', 'nothing'],
  );
  assert.equal(freshnessOf(undefined, 1_000, times), 'nothing');
});

test('an answer is to spare until it has been stale for as long as an error allows', () => {
  const spare = (ageMs: number, entry?: Entry) => isSpare(entry, 1_000 + ageMs, times);
  assert.deepEqual([spare(0, answer), spare(149, answer), spare(150, answer)], [true, true, false]);
  assert.deepEqual([spare(0, { ...answer, hasValue: false }), spare(0)], [false, false]);
});

test('an answer is kept for as long as it is of any use', () => {
  assert.deepEqual([keepMs(times), keepMs({ ...times, staleMs: 70 })], [150, 170]);
});
