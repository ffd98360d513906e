import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigurationItem } from './configuration-store.ts';
import { MOST_SEEN, SeenItems } from './seen-items.ts';

test('what differs is what has changed, is gone or is new, whatever was told meanwhile', () => {
  const seen = new SeenItems();
  seen.begin({ same: { value: '1' }, changed: { value: '1' }, gone: { value: '1' } });
  seen.see('told', { value: '2' });
  seen.see('gone before', { value: '2' });
  seen.see('gone before', undefined);
  assert.deepEqual(
    seen.differing({
      ...{ same: { value: '1' }, changed: { value: '1', version: '2' }, told: { value: '2' } },
      new: { value: '1' },
    }),
    ['changed', 'gone', 'new'],
  );
});

test('of too many keys nothing is remembered, also where they come one by one', () => {
  const items: Record<string, ConfigurationItem> = {};
  for (let n = 0; n < MOST_SEEN; n += 1) items[`k${n}`] = { value: '1' };
  const seen = new SeenItems();
  seen.begin(items);
  const before = [seen.complete, seen.differing({}).length];
  seen.see('one more', { value: '1' });
  assert.deepEqual([before, seen.complete, seen.differing({})], [[true, MOST_SEEN], false, []]);
  seen.begin(undefined);
  assert.equal(seen.complete, false);
});
