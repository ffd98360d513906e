import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';
import { giveMemoryBack, processMemory } from './give-memory-back.ts';

const MIB = 1024 * 1024;

test('memory is collected when a burst is over, and neither before nor for a little', async () => {
  const clock = new VirtualClock();
  let resident = 80 * MIB;
  let busy = 0;
  let collected = 0;
  const end = giveMemoryBack(clock, {
    residentBytes: () => resident,
    busy: () => busy,
    collect() {
      collected += 1;
      resident = 85 * MIB;
    },
  });
  const seen: number[] = [];
  for (const [bytes, load] of [
    [80, 0],
    [110, 0],
    [200, 0.9],
    [200, 0.1],
    [85, 0],
  ] as const) {
    resident = bytes * MIB;
    busy = load;
    await clock.advance(5_000);
    seen.push(collected);
  }
  assert.deepEqual(seen, [0, 0, 0, 1, 1]);
  end();
  resident = 300 * MIB;
  await clock.advance(60_000);
  assert.equal(collected, 1);
});

test('this process can collect, and leaves nobody else the means', async () => {
  let gone = 0;
  const seen = new FinalizationRegistry(() => {
    gone += 1;
  });
  for (let at = 0; at < 50; at += 1) seen.register({ at }, at);
  const memory = processMemory();
  memory.collect();
  // Finalizers run in a turn of their own.
  for (let turn = 0; turn < 100 && gone === 0; turn += 1) await systemClock.sleep(5);
  assert.ok(gone > 0);
  assert.ok(memory.residentBytes() > MIB && memory.busy() >= 0);
  assert.equal(Reflect.get(globalThis, 'gc'), undefined);
});
