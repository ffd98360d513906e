import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { retry } from '../retry/retry.ts';
import { deadline } from '../timeout/deadline.ts';

test('the first sentence has the most attempts and the longest time, where there are such', () => {
  const first = (...policies: Policy[]) =>
    pipeline('p', policies, { registry: undefined }).explain().words[0];
  assert.deepEqual(
    [
      first(),
      first(deadline({ limitMs: 500 })),
      first(deadline({ limitMs: 500 }), retry({ maxRetries: 2 })),
      first(retry({ maxRetries: Infinity })),
    ],
    [
      'A call makes at most 1 attempt and takes as long as the function does.',
      'A call makes at most 1 attempt and takes at most 500 ms.',
      'A call makes at most 3 attempts and takes at most 500 ms.',
      'A call makes any number of attempts and takes as long as the function does.',
    ],
  );
});
