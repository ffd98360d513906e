import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Entries, type Entry } from './entries.ts';

const entryOf = (bytes: number): Entry => ({
  hasValue: true,
  value: bytes,
  storedMs: 0,
  bytes,
  error: undefined,
  errorUntilMs: -Infinity,
});

test('entries are kept as a list would, no more and no heavier than the limits allow', () => {
  const limits = fc.record({
    maxEntries: fc.integer({ min: 1, max: 5 }),
    maxBytes: fc.constantFrom(10, 25, Infinity),
  });
  const step = fc.record({
    what: fc.constantFrom('set', 'set', 'get', 'delete', 'limit'),
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    bytes: fc.nat(12),
    limits,
  });
  fc.assert(
    fc.property(limits, fc.array(step, { maxLength: 60, size: 'max' }), (first, steps) => {
      let now = first;
      const entries = new Entries(now);
      let kept: { readonly key: string; readonly bytes: number }[] = [];
      const weight = () => kept.reduce((sum, { bytes }) => sum + bytes, 0);
      for (const { what, key, bytes, limits: next } of steps) {
        const known = kept.find((one) => one.key === key);
        if (what === 'get') {
          assert.equal(entries.get(key)?.value, known?.bytes);
          if (known !== undefined) kept = [...kept.filter((one) => one !== known), known];
        } else if (what === 'delete') {
          entries.delete(key);
          kept = kept.filter((one) => one !== known);
        } else if (what === 'set') {
          entries.set(key, entryOf(bytes));
          kept = kept.filter((one) => one !== known);
          // What is too heavy alone must not put out all others.
          if (bytes <= now.maxBytes) kept.push({ key, bytes });
        } else {
          now = next;
          entries.limit(now);
        }
        while (kept.length > now.maxEntries || weight() > now.maxBytes) kept.shift();
        assert.deepEqual([entries.size, entries.bytes], [kept.length, weight()]);
      }
      assert.deepEqual(
        ['a', 'b', 'c', 'd', 'e', 'f'].filter((key) => entries.get(key) !== undefined),
        kept.map(({ key }) => key).sort(),
      );
    }),
  );
});
