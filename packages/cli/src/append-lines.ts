import type { Writable } from 'node:stream';

/** Bytes that may wait for a slow disk. */
const MOST_WAITING_BYTES = 16 * 2 ** 20;

/**
 * Returns what writes a line, its line break included, to a stream. What comes faster than the stream takes it is
 * left out from 16 MiB on, for it would fill the memory; `leftOut` hears how many lines once there is room again.
 */
export function appendLines(
  stream: Writable,
  leftOut: (lines: number) => void,
): (line: string) => void {
  let missing = 0;
  stream.on('drain', () => {
    if (missing === 0) return;
    const lines = missing;
    missing = 0;
    leftOut(lines);
  });
  return (line) => {
    if (stream.writableLength > MOST_WAITING_BYTES) missing += 1;
    else stream.write(line);
  };
}
