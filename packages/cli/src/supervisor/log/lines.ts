import type { Readable } from 'node:stream';

/** A line is cut here, so that a program that never ends one cannot fill our memory. */
const MAX_LINE_CHARS = 64 * 1024;

/** Calls `onLine` for each line of a stream, and for what is left when it ends. */
export function eachLine(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    while (rest.length > MAX_LINE_CHARS) {
      onLine(rest.slice(0, MAX_LINE_CHARS));
      rest = rest.slice(MAX_LINE_CHARS);
    }
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
    rest = '';
  });
  // A pipe that breaks with its process is that process's end, which is reported as such.
  stream.on('error', () => {});
}
