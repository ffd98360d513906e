import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Lru } from './lru.ts';

test('keeps what was asked for last, as a list would, and makes the rest anew', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      // Of those below 0, the number of keys to keep from there on.
      fc.array(fc.integer({ min: -4, max: 6 }), { maxLength: 60, size: 'max' }),
      (atFirst, keys) => {
        let limit = atFirst;
        let made = 0;
        const lru = new Lru<number, { readonly key: number; readonly made: number }>(
          limit,
          (key) => {
            made += 1;
            return { key, made };
          },
        );
        let kept: { readonly key: number; readonly made: number }[] = [];
        let expectedMade = 0;
        for (const key of keys) {
          if (key < 0) {
            limit = -key;
            kept = kept.slice(-limit);
            lru.keep(limit);
            assert.equal(lru.size, kept.length);
            continue;
          }
          let value = kept.find((one) => one.key === key);
          if (value === undefined) {
            expectedMade += 1;
            value = { key, made: expectedMade };
          }
          kept = [...kept.filter((one) => one.key !== key), value].slice(-limit);
          assert.deepEqual(lru.get(key), value);
          assert.equal(lru.size, kept.length);
        }
      },
    ),
  );
});
