import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { circuitBreaker } from '../breaker/breaker.ts';
import { keyedPipeline } from './keyed-pipeline.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const KEYS = 4_000;

test('a key that has long not been called weighs little more than its circuit', async () => {
  // What the first calls leave behind (compiled code, the engine's own) belongs to no key.
  const first = await called();
  const beforeBytes = await settledHeapBytes();
  const second = await called();
  const bytesPerKey = ((await settledHeapBytes()) - beforeBytes) / KEYS;

  // 1,200 as measured; 2,000 where each keeps what makes its next call quick.
  assert.ok(bytesPerKey < 1_600, `${bytesPerKey} bytes`);
  for (const family of [first, second]) {
    assert.deepEqual(
      [await family.execute(() => 'again', { key: 'host 0' }), family.inspect().evicted],
      ['again', 0],
    );
  }
});

async function called() {
  const family = keyedPipeline('hosts', [circuitBreaker()], {
    maxKeys: KEYS,
    registry: undefined,
  });
  // Twice, so that each has been left to rest and has been called again.
  for (let n = 0; n < 2 * KEYS; n += 1) {
    await family.execute(() => 1, { key: `host ${n % KEYS}` });
  }
  return family;
}

async function settledHeapBytes(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    collect();
    await turn();
  }
  return process.memoryUsage().heapUsed;
}
