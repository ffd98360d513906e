import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import { readBody } from './read-body.ts';

const LIMITS = { maxBodyBytes: 3_000, stallMs: 10_000, readMs: 60_000 };

test('a body is what came, in however many parts, and as many bytes as are allowed', async () => {
  const numbers = Buffer.from(Array.from({ length: 3_000 }, (_, index) => index % 251));
  const shapes = [
    [3_000],
    [0, 1, 2_999],
    Array.from({ length: 3_000 }, () => 1),
    [1_000, 1_999, 1],
  ];
  for (const sizes of shapes) {
    let from = 0;
    const parts = sizes.map((size) => {
      from += size;
      return numbers.subarray(from - size, from);
    });
    const copies = parts.map((part) => Buffer.from(part));
    const read = await readBody(Readable.from(copies, { objectMode: false }), limits());
    assert.ok(read.kind === 'read' && numbers.equals(read.body), sizes.slice(0, 4).join());
    // What was handed over is not written to.
    assert.ok(parts.every((part, index) => copies[index]!.equals(part)));
  }
  const over = Readable.from([numbers, Buffer.from('x')], { objectMode: false });
  assert.deepEqual(await readBody(over, limits()), { kind: 'too-large' });
  const empty = await readBody(Readable.from([]), limits());
  assert.ok(empty.kind === 'read' && empty.body.byteLength === 0);
});

test('a stream that is silent for too long has stalled, one that drips when its time is over', async () => {
  assert.deepEqual(await timeOf(9_999, 60_000), { kind: 'stalled', atMs: 60_000 });
  assert.deepEqual(await timeOf(10_001, 60_000), { kind: 'stalled', atMs: 10_000 });
});

test('a stream that breaks or is closed before its end is no body', async () => {
  const broken = new Readable({ read() {} });
  const closed = new Readable({ read() {} });
  const reads = [readBody(broken, limits()), readBody(closed, limits())];
  broken.destroy(new Error('reset'));
  closed.destroy();
  assert.deepEqual(await Promise.all(reads), [{ kind: 'gone' }, { kind: 'gone' }]);
  assert.deepEqual(await readBody(closed, limits()), { kind: 'gone' });
});

const limits = () => ({ ...LIMITS, clock: new VirtualClock() });

/** How and when reading ends of a stream that sends a byte every so often. */
async function timeOf(everyMs: number, forMs: number) {
  const clock = new VirtualClock();
  const stream = new Readable({ read() {} });
  return clock.run(async () => {
    let over = false;
    const read = readBody(stream, { ...LIMITS, clock }).then(({ kind }) => {
      over = true;
      return { kind, atMs: clock.now() };
    });
    for (let ms = 0; ms < forMs && !over; ms += everyMs) {
      await clock.sleep(everyMs);
      stream.push('x');
    }
    return read;
  });
}
