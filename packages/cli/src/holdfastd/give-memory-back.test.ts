import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { until } from '@holdfast/test-servers';
import { giveMemoryBack, processMemory } from './give-memory-back.ts';

const MIB = 1024 * 1024;

test('memory is collected when a burst is over, and neither before nor for a little', async () => {
  const seen = await collections([
    [110, 0.3],
    [200, 0.9],
    [200, 0.3],
    [85, 0.3],
    [120, 0.3],
    [130, 0.1],
  ]);
  assert.deepEqual(seen, ['', '', 'collected', '', '', 'all']);
});

test('a process with nothing to do looks for all there is: after its start, and when it has grown', async () => {
  const seen = await collections([
    [95, 0],
    [85, 0],
    [100, 0.01],
    [102, 0.3],
    [102, 0.01],
    [85, 0],
  ]);
  assert.deepEqual(seen, ['all', '', '', '', 'all', '']);
});

test('what cannot be had is not looked for again and again', async () => {
  const seen = await collections(
    [
      [200, 0.3],
      [200, 0.3],
      [200, 0],
      [200, 0],
    ],
    200,
  );
  assert.deepEqual(seen, ['collected', '', 'all', '']);
});

test('what a busy process could not find is looked for when it has less to do, if not nothing', async () => {
  const seen = await collections(
    [
      [200, 0.3],
      [200, 0.06],
      [200, 0.06],
    ],
    200,
  );
  assert.deepEqual(seen, ['collected', 'all', '']);
});

test('it ends when it is told to', async () => {
  const clock = new VirtualClock();
  let collected = 0;
  const memory = { residentBytes: () => 300 * MIB, busy: () => 0, collect: () => (collected += 1) };
  giveMemoryBack(clock, memory)();
  await clock.advance(60_000);
  assert.equal(collected, 0);
});

test('this process can collect, and leaves nobody else the means', async () => {
  let gone = 0;
  const seen = new FinalizationRegistry(() => {
    gone += 1;
  });
  for (let at = 0; at < 50; at += 1) seen.register({ at }, at);
  const memory = processMemory();
  memory.collect(false);
  memory.collect(true);
  // Finalizers run in a turn of their own.
  await until('some are collected', () => gone > 0);
  assert.ok(memory.residentBytes() > MIB && memory.busy() >= 0);
  assert.equal(Reflect.get(globalThis, 'gc'), undefined);
});

test('a process that has no descriptor to spare counts as large as it was', (t) => {
  const memory = processMemory();
  const before = memory.residentBytes();
  t.mock.method(process.memoryUsage, 'rss', () => {
    throw new Error('EMFILE: too many open files, uv_resident_set_memory');
  });
  assert.equal(memory.residentBytes(), before);
});

/** What is done at each look, at a process of so many MiB that is so busy; a collection leaves it at `leftMib`. */
async function collections(
  looks: readonly (readonly [mib: number, busy: number])[],
  leftMib = 85,
): Promise<readonly string[]> {
  const clock = new VirtualClock();
  let resident = 80 * MIB;
  let load = 0;
  let done = '';
  const end = giveMemoryBack(clock, {
    residentBytes: () => resident,
    busy: () => load,
    collect(all) {
      done = all ? 'all' : 'collected';
      resident = leftMib * MIB;
    },
  });
  const seen: string[] = [];
  let waitMs = 1_000;
  for (const [mib, busy] of looks) {
    resident = mib * MIB;
    load = busy;
    done = '';
    await clock.advance(waitMs);
    seen.push(done);
    waitMs = 5_000;
  }
  end();
  return seen;
}
