import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type AlgorithmRules, algorithmOf } from './algorithms.ts';

const rules: AlgorithmRules = {
  algorithm: 'aimd',
  initialLimit: 20,
  minLimit: 1,
  maxLimit: 200,
  timeoutMs: 5_000,
  tolerance: 1.5,
  windowMs: 1_000,
  // The formulas alone: what a probe does is for its own tests.
  probeEvery: Infinity,
};

interface Sample {
  readonly rttMs: number;
  readonly inFlight: number;
  readonly dropped: boolean;
  readonly drawn: number;
}

const samples = fc.array(
  fc.record({
    rttMs: fc.double({ min: 0.5, max: 8_000, noNaN: true }),
    inFlight: fc.integer({ min: 1, max: 300 }),
    dropped: fc.boolean(),
    drawn: fc.double({ min: 0, max: 0.999, noNaN: true }),
  }),
  { maxLength: 700, size: 'max' },
);

describe('the algorithms of an adaptive limit', () => {
  for (const [algorithm, trace] of Object.entries({ aimd, vegas, gradient2 })) {
    test(`${algorithm} follows the trace computed from its formula`, () => {
      fc.assert(
        fc.property(samples, (given) => {
          const live = algorithmOf({ ...rules, algorithm: algorithm as 'aimd' });
          const limits = given.map(({ rttMs, inFlight, dropped, drawn }) => {
            live.sample(rttMs, inFlight, dropped, drawn);
            return live.limit;
          });
          assert.deepEqual(
            limits.map((limit) => limit.toFixed(6)),
            trace(given).map((limit) => limit.toFixed(6)),
          );
        }),
        { numRuns: 60 },
      );
    });

    test(`${algorithm} does not grow on traffic that uses less than half of it`, () => {
      const live = algorithmOf({ ...rules, algorithm: algorithm as 'aimd', minLimit: 20 });
      for (let n = 0; n < 500; n += 1) live.sample(10, 5, false, 0.5);
      assert.equal(live.limit, 20);
      for (let n = 0; n < 2; n += 1) live.sample(10, 10, false, 0.5);
      assert.ok(live.limit > 20, `just half of it is used, and it stands at ${live.limit}`);
    });
  }

  test('each goes on with what it has learned, under other rules', () => {
    for (const algorithm of ['aimd', 'vegas', 'gradient2'] as const) {
      const [live, fresh] = [0, 1].map(() =>
        algorithmOf({ ...rules, algorithm, initialLimit: 50 }),
      );
      const both = (rttMs: number, times: number) => {
        for (let n = 0; n < times; n += 1) {
          for (const each of [live!, fresh!]) each.sample(rttMs, 100, false, 0.5);
        }
      };
      both(20, 30);
      live!.follow({ ...rules, algorithm, initialLimit: 50 });
      both(30, 30);
      assert.equal(live!.limit, fresh!.limit, algorithm);
      for (const [bounds, limit] of [
        [{ minLimit: 180 }, 180],
        [{ maxLimit: 30 }, 30],
      ] as const) {
        live!.follow({ ...rules, algorithm, ...bounds });
        assert.equal(live!.limit, limit, algorithm);
        for (let n = 0; n < 60; n += 1) live!.sample(20, 500, false, 0.5);
        assert.ok(
          live!.limit >= (limit === 180 ? 180 : 1) && live!.limit <= (limit === 30 ? 30 : 200),
        );
      }
    }
  });

  test('vegas goes by the logarithm of its limit, at 100 in twos', () => {
    const next = (queue: number, dropped = false) => {
      const live = algorithmOf({ ...rules, algorithm: 'vegas', initialLimit: 100 });
      live.sample(10, 200, false, 0.5);
      // So long that the queue, which is rounded up, is just this one.
      live.sample(10 / (1 - (queue - 0.5) / 100), 200, dropped, 0.5);
      return live.limit;
    };
    assert.deepEqual(
      [next(1), next(2), next(3), next(5), next(6), next(12), next(13), next(2, true)],
      [112, 112, 102, 102, 100, 100, 98, 98],
    );
  });

  test('known numbers: a dependency that is steady, then slow, then steady', () => {
    const after = (algorithm: AlgorithmRules['algorithm'], ...rtts: number[]) => {
      const live = algorithmOf({ ...rules, algorithm });
      for (const rttMs of rtts) live.sample(rttMs, 200, rttMs > 1_000 && rttMs !== 5_000, 0.5);
      return Number(live.limit.toFixed(3));
    };
    const steady = Array.from({ length: 5 }, () => 10);
    assert.deepEqual(
      [
        after('aimd', ...steady),
        after('aimd', ...steady, 6_000),
        // Just in time is in time.
        after('aimd', ...steady, 5_000),
        // The first sample is the best known; each of the others adds 6 × log10(limit).
        after('vegas', ...steady),
        after('vegas', ...steady, 2_000),
        // 0.2 × 4 more each time.
        after('gradient2', ...steady),
        // The gradient is at least a half: 24 × (0.8 + 0.2 × 0.5) + 0.8, of 1.5 × 325 / 1900 < 0.5.
        after('gradient2', ...steady, 1_900),
      ],
      [25, 22, 26, 44, 43, 24, 22.4],
    );
  });
});

test('the formula of gradient2 alone takes a queue that was there from the beginning for normal', () => {
  // Capacity for 20 of 50 ms: with more, calls wait for each other. Both make the same of it.
  const rttMs = (limit: number) => 50 * Math.max(1, limit / 20);
  const live = algorithmOf({ ...rules, algorithm: 'gradient2', initialLimit: 180 });
  const given: Sample[] = [];
  for (let n = 0; n < 2_000; n += 1) {
    const sample = { rttMs: rttMs(live.limit), inFlight: live.limit, dropped: false, drawn: 0.5 };
    given.push(sample);
    live.sample(sample.rttMs, sample.inFlight, sample.dropped, sample.drawn);
  }
  assert.deepEqual([live.limit, gradient2(given, 180).at(-1)], [200, 200]);
});

/** Additive increase, multiplicative decrease, written down as it is taught. */
function aimd(given: readonly Sample[]): number[] {
  let limit = 20;
  return given.map(({ rttMs, inFlight, dropped }) => {
    if (dropped || rttMs > 5_000) limit = Math.floor(limit * 0.9);
    else if (inFlight >= limit / 2) limit += 1;
    limit = Math.min(200, Math.max(1, limit));
    return limit;
  });
}

/** Vegas: L + β, L + lg, L or L − lg by the queue ⌈L(1 − rtt0/rtt)⌉ against lg, 3·lg and 6·lg. */
function vegas(given: readonly Sample[]): number[] {
  let limit = 20;
  let noLoad = 0;
  let since = 0;
  let jitter: number | undefined;
  return given.map(({ rttMs, inFlight, dropped, drawn }) => {
    jitter ??= 0.5 + 0.5 * drawn;
    since += 1;
    if (since >= jitter * 30 * limit) {
      [jitter, since, noLoad] = [0.5 + 0.5 * drawn, 0, rttMs];
      return limit;
    }
    if (noLoad === 0 || rttMs < noLoad) {
      noLoad = rttMs;
      return limit;
    }
    const lg = Math.max(1, Math.trunc(Math.log10(limit)));
    const queue = Math.ceil(limit * (1 - noLoad / rttMs));
    let next = limit;
    if (dropped) next = limit - lg;
    else if (inFlight >= limit / 2) {
      if (queue <= lg) next = limit + 6 * lg;
      else if (queue < 3 * lg) next = limit + lg;
      else if (queue > 6 * lg) next = limit - lg;
    }
    limit = Math.min(200, Math.max(1, next));
    return limit;
  });
}

/** Gradient2: L(1 − s) + s(L·g + q), g = clamp(1.5·long/short, ½, 1), long an average over 600 samples. */
function gradient2(given: readonly Sample[], initialLimit = 20): number[] {
  let limit = initialLimit;
  let long = 0;
  const first: number[] = [];
  return given.map(({ rttMs, inFlight }) => {
    if (first.length < 10) {
      first.push(rttMs);
      long = first.reduce((a, b) => a + b) / first.length;
    } else long += (2 / 601) * (rttMs - long);
    const ratio = long / rttMs;
    if (ratio > 2) long *= 0.95;
    if (inFlight >= limit / 2) {
      const gradient = Math.min(1, Math.max(0.5, 1.5 * ratio));
      limit = Math.min(200, Math.max(1, 0.8 * limit + 0.2 * (limit * gradient + 4)));
    }
    return limit;
  });
}
