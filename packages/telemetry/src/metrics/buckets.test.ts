import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  Buckets,
  DAPR_LATENCY_BUCKETS_MS,
  DAPR_SIZE_BUCKETS_BYTES,
  SECONDS_BUCKETS,
} from './buckets.ts';

test('every value falls into the first bucket whose bound is not below it', () => {
  for (const bounds of [DAPR_LATENCY_BUCKETS_MS, DAPR_SIZE_BUCKETS_BYTES, SECONDS_BUCKETS]) {
    const buckets = new Buckets(bounds);
    const slowly = (value: number) => {
      const index = bounds.findIndex((bound) => value <= bound);
      return index === -1 ? bounds.length : index;
    };
    const edges = bounds.flatMap((bound) => [bound, bound - 1e-9, bound + 1e-9]);
    const odd = [-1, -0, 0, 0.4, 1_024, 1_024.5, 1e12, Number.POSITIVE_INFINITY];
    for (const value of [...edges, ...odd])
      assert.equal(buckets.find(value), slowly(value), `${value}`);
    fc.assert(
      fc.property(fc.double({ min: -10, max: 200_000, noNaN: true }), (value) => {
        assert.equal(buckets.find(value), slowly(value));
      }),
    );
  }
});
