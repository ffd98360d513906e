import type { RequestHead } from '../server/request-head.ts';

/** Headers that may choose between answers to one path; they are part of the key. */
const CHOOSING = ['accept', 'accept-encoding', 'accept-language'] as const;

/** A request with one of these is for somebody in particular, or for a part, or asks for a fresh answer. */
const PARTICULAR = new Set([
  'authorization',
  'cookie',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
]);

/** A key longer than this is not worth keeping. */
const LONGEST_KEY = 4_096;

/**
 * What names the answer to a request, among those of one target; undefined
 * where the answer must not be shared. `path` is as it goes to the application.
 */
export function cacheKeyOf(head: RequestHead, path: string): string | undefined {
  if (head.method !== 'GET' || head.bodyLength !== 0 || head.events) return undefined;
  const chosen: string[] = ['', '', ''];
  for (let at = 0; at + 1 < head.headers.length; at += 2) {
    const name = head.headers[at]!;
    const value = head.headers[at + 1]!;
    if (PARTICULAR.has(name)) return undefined;
    if (name === 'cache-control' && /no-cache|no-store|max-age=0/i.test(value)) return undefined;
    if (name === 'pragma' && /no-cache/i.test(value)) return undefined;
    const which = CHOOSING.indexOf(name as (typeof CHOOSING)[number]);
    if (which >= 0) chosen[which] += `${value},`;
  }
  const key = [path, ...chosen].join('\n');
  return key.length > LONGEST_KEY ? undefined : key;
}

const KEPT = new Set([200, 203, 204]);

/** Whether an answer says of itself that it is for one caller, or depends on what the key does not hold. */
export function isKeepable(status: number, headers: readonly string[]): boolean {
  if (!KEPT.has(status)) return false;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at]!;
    const value = headers[at + 1]!;
    if (name === 'set-cookie') return false;
    if (name === 'cache-control' && /no-store|private|no-cache/i.test(value)) return false;
    if (name === 'vary' && !value.split(',').every(isInKey)) return false;
  }
  return true;
}

const isInKey = (name: string): boolean =>
  (CHOOSING as readonly string[]).includes(name.trim().toLowerCase());
