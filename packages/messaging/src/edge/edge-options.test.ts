import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryStore } from '../memory-store.ts';
import { openOutbox } from '../outbox.ts';
import { type EdgeOptions, resolveEdgeOptions } from './edge-options.ts';

test('an edge that cannot work is refused where it is made, naming the option', async () => {
  const outbox = await openOutbox({ store: memoryStore() });
  const why = (options: Partial<EdgeOptions>) => {
    try {
      resolveEdgeOptions({ outbox, topic: 'a', ...options });
      return undefined;
    } catch (error) {
      return String(error);
    }
  };
  assert.deepEqual(
    [
      why({ maxBodyBytes: 0 }),
      why({ stallMs: 0.5 }),
      why({ readMs: 600_001 }),
      why({ topic: '' }),
      why({ path: 'process' }),
      why({ path: '/process/' }),
      why({ idempotencyHeader: 'a b' }),
      why({ idempotencyHeader: 'X-Request-ID' }),
    ],
    [
      'RangeError: edge.maxBodyBytes must be a whole number from 1 to 9007199254740991, not 0.',
      'RangeError: edge.stallMs must be a whole number from 1 to 600000, not 0.5.',
      'RangeError: edge.readMs must be a whole number from 1 to 600000, not 600001.',
      'TypeError: edge.topic must be a topic\'s name or a function that finds one, not "".',
      'RangeError: edge.path must begin with "/", not end with it, and have no query, such as "/process"; not "process".',
      'RangeError: edge.path must begin with "/", not end with it, and have no query, such as "/process"; not "/process/".',
      'RangeError: edge.idempotencyHeader must be the name of a header, such as "idempotency-key"; not "a b".',
      undefined,
    ],
  );
});
