import assert from 'node:assert/strict';
import { test } from 'node:test';
import { circuitBreaker } from '../breaker/breaker.ts';
import { keyedPipeline } from './keyed-pipeline.ts';

test('a keyed pipeline holds a hundred thousand keys within its bound', async () => {
  const family = keyedPipeline('hosts', [circuitBreaker()], { maxKeys: 500, registry: undefined });
  for (let n = 0; n < 100_000; n += 1) await family.execute(() => undefined, { key: `host ${n}` });
  const { evicted, keys } = family.inspect();
  const names = Object.keys(keys);
  assert.deepEqual([names.length, evicted, names[0]], [500, 99_500, 'host 99500']);
});
