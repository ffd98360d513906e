import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { appendLines } from './append-lines.ts';

test('lines that a disk cannot take are left out from 16 MiB on, and counted once it can', async () => {
  const disk = slowDisk();
  const leftOut: number[] = [];
  const write = appendLines(disk.stream, (lines) => leftOut.push(lines));
  for (let n = 0; n < 40; n += 1) write(`${'x'.repeat(2 ** 20)}\n`);
  const waitingBytes = disk.stream.writableLength;

  const drained = once(disk.stream, 'drain');
  disk.go();
  await drained;
  write('after\n');
  disk.stream.end();
  await once(disk.stream, 'finish');

  // The one that came last was begun below the limit.
  assert.ok(waitingBytes <= 17 * (2 ** 20 + 1), String(waitingBytes));
  assert.deepEqual(leftOut, [40 - 16]);
  assert.equal(disk.lines(), 16 + 1);
});

/** Takes nothing until it is told to go on. */
function slowDisk() {
  let lines = 0;
  let goOn: (() => void) | undefined;
  let going = false;
  const stream = new Writable({
    write(_chunk, _encoding, done) {
      lines += 1;
      if (going) done();
      else goOn = done;
    },
  });
  return {
    stream,
    lines: () => lines,
    go() {
      going = true;
      goOn?.();
    },
  };
}
