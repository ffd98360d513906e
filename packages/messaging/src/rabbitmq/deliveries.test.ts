import assert from 'node:assert/strict';
import { test } from 'node:test';
import { earlierDeliveries } from './deliveries.ts';

test('it was delivered as often as either count says; what is no count says nothing', () => {
  const counts = [
    {},
    { 'x-delivery-count': 2 },
    { 'x-delivery-count': 1, 'x-acquired-count': 4 },
    { 'x-delivery-count': 'many', 'x-acquired-count': -1 },
    { 'x-delivery-count': '3' },
  ].map((headers) => earlierDeliveries({ content: Buffer.alloc(0), properties: { headers } }));

  assert.deepEqual(counts, [0, 2, 4, 0, 3]);
});
