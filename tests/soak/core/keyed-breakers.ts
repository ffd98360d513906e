import { setTimeout as wait } from 'node:timers/promises';
import { circuitBreaker, createRegistry, keyedPipeline } from '@holdfast/core';
import { settledHeap } from './settled-heap.ts';

const IDLE_MS = 1_000;

export interface KeyedReport {
  /** Bytes a key, its pipeline included: made and never called; called once with success; once more with a failure. */
  readonly made: number;
  readonly used: number;
  readonly failed: number;
  /** The whole of it, once all keys have been forgotten. */
  readonly bytesAfter: number;
  readonly forgotten: number;
  readonly timersLeft: number;
}

/** Makes `count` circuits, one a key, uses each, leaves them alone until they are forgotten, and weighs them. */
export async function soakKeyedBreakers(count: number): Promise<KeyedReport> {
  const keys = Array.from({ length: count }, (_, n) => `host ${n}`);
  const registry = createRegistry();
  const family = keyedPipeline('hosts', [circuitBreaker()], {
    maxKeys: count,
    idleMs: 3_600_000,
    registry,
  });
  const before = await settledHeap();
  const bytesEach = async () => ((await settledHeap()) - before) / count;

  for (const key of keys) family.for(key);
  const made = await bytesEach();
  for (const key of keys) await family.execute(async () => 1, { key });
  const used = await bytesEach();
  const fail = async () => {
    throw new Error('down');
  };
  for (const key of keys) await family.execute(fail, { key }).catch(() => {});
  const failed = await bytesEach();
  const timersLeft = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  if (family.inspect().evicted > 0) throw new Error('A key was evicted that there was room for.');
  return { made, used, failed, timersLeft, ...(await forgetAll(keys)) };
}

/** The same keys in a family that forgets them. */
async function forgetAll(keys: readonly string[]) {
  const before = await settledHeap();
  const family = keyedPipeline('short-lived', [circuitBreaker()], {
    maxKeys: keys.length,
    idleMs: IDLE_MS,
    registry: createRegistry(),
  });
  for (const key of keys) await family.execute(async () => 1, { key });
  await wait(IDLE_MS + 50);
  // Two looks a call: calls of one key alone are rid of all the others.
  for (let n = 0; n < keys.length; n += 1) await family.execute(async () => 1, { key: 'last' });
  const { forgotten } = family.inspect();
  return { forgotten, bytesAfter: (await settledHeap()) - before };
}
