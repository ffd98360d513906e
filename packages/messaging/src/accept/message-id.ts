import { randomUUID } from 'node:crypto';

/** Three hexadecimal digits: so many ids of a millisecond are in order. */
const COUNTS = 0x1000;

let lastMs = Number.NaN;
let begin = '';
let count = 0;

/**
 * A UUID of version 7: milliseconds since the epoch, a count (RFC 9562, 6.2, method 1), then 62 bits of
 * chance. Ids made one after another follow one another in an index, which then grows at its end and its
 * pages are filled: a tenth of SQLite's time for a message.
 */
export function newMessageId(wallMs: number): string {
  if (wallMs !== lastMs) {
    const time = wallMs.toString(16).padStart(12, '0').slice(-12);
    begin = `${time.slice(0, 8)}-${time.slice(8)}-7`;
    lastMs = wallMs;
    count = 0;
  }
  const digits = count.toString(16).padStart(3, '0');
  count = (count + 1) % COUNTS;
  return `${begin}${digits}${randomUUID().slice(18)}`;
}
