import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { createLogger } from '@holdfast/telemetry/log';
import { neverTwiceAtOnce, readAtLast } from './catch-up.ts';

describe('readAtLast', () => {
  test('reads with growing pauses until it can, and the log has one line of it', async () => {
    assert.deepEqual(await play({ failures: 7 }), {
      result: 'read',
      atMs: [0, 250, 750, 1_750, 3_750, 7_750, 12_750, 17_750],
      said: ['component c: changes are told when they can be read: away'],
    });
  });

  test('ends with the subscription, at once', async () => {
    assert.deepEqual(await play({ failures: 7, endsAtMs: 1_000 }), {
      result: undefined,
      atMs: [0, 250, 750],
      said: ['component c: changes are told when they can be read: away'],
    });
  });
});

test('work is done once more where it was asked for while it was being done, and never beside itself', async () => {
  const steps: string[] = [];
  const gate = Promise.withResolvers<void>();
  const ask = neverTwiceAtOnce(async () => {
    steps.push('begin');
    if (steps.length === 1) await gate.promise;
    steps.push('end');
  });
  const all = [ask(), ask(), ask()];
  gate.resolve();
  await Promise.all(all);
  await ask();
  assert.deepEqual(steps, ['begin', 'end', 'begin', 'end', 'begin', 'end']);
});

/** A read that fails so often, of a subscription that ends at some time. */
async function play({ failures, endsAtMs }: { failures: number; endsAtMs?: number }) {
  const clock = new VirtualClock();
  const ending = new AbortController();
  const atMs: number[] = [];
  const lines: string[] = [];
  const log = createLogger({ write: (line) => void lines.push(line) });
  const result = await clock.run(async () => {
    if (endsAtMs !== undefined) clock.timer(endsAtMs, () => ending.abort());
    const read = async () => {
      atMs.push(clock.now());
      if (atMs.length <= failures) throw new Error('away');
      return 'read';
    };
    return await readAtLast(read, { clock, component: 'c', log, signal: ending.signal });
  });
  const said = lines.map((line) => /component c: [^"]*/.exec(line)?.[0]);
  return { result, atMs, said };
}
