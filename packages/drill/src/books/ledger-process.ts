/**
 * The client's ledger, a program of its own: `node ledger-process.ts FILE`.
 *
 * Reads lines from standard input, appends them to FILE, flushes FILE to the
 * disk, and only then writes back how many lines are safe so far. Whatever the
 * drill does afterwards, crashing included, what was acknowledged stays.
 * All lines that arrived together share one flush. Ends when its input ends.
 */
import { fdatasyncSync, openSync, writeSync } from 'node:fs';
import { argv, stdin, stdout } from 'node:process';

// Ctrl-C goes to every process of the terminal. The ledger stays until the drill has let go of it.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
// The drill may be gone when the acknowledgement is written; the line is safe all the same.
stdout.on('error', () => {});

const file = argv[2];
if (file === undefined) throw new TypeError('ledger-process needs the path of its file.');
const fd = openSync(file, 'a');

let linesSafe = 0;
let lineStart: Buffer = Buffer.alloc(0);
stdin.on('data', (chunk: Buffer) => {
  const bytes = Buffer.concat([lineStart, chunk]);
  const end = bytes.lastIndexOf(0x0a) + 1;
  lineStart = bytes.subarray(end);
  if (end === 0) return;

  const lines = bytes.subarray(0, end);
  // A failing disk throws here and ends this process without an acknowledgement, as it should.
  for (let written = 0; written < end; ) written += writeSync(fd, lines, written);
  fdatasyncSync(fd);
  for (const byte of lines) if (byte === 0x0a) linesSafe += 1;
  stdout.write(`${linesSafe}\n`);
});
