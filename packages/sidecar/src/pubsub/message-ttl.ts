import { parseDuration } from '@holdfast/config';

/** Go holds no more in a duration. */
const LONGEST_TTL_MS = 9_223_372_036_854;

/**
 * How long a message is worth anything, as its publisher's metadata say: `ttl`
 * or `ttlInSeconds`, a number of seconds or Go's `1m30s`. What is neither is
 * overlooked, as in Dapr; 0 is over at once.
 */
export function messageTtlMs(metadata: Readonly<Record<string, string>>): number | undefined {
  const text = ttlText(metadata);
  if (text === '') return undefined;
  if (/^\+?\d+$/.test(text)) return Math.min(Number(text) * 1_000, LONGEST_TTL_MS);
  if (/^[+-]?\d+$/.test(text)) return undefined;
  const parsed = parseDuration(text);
  return 'ms' in parsed ? Math.min(Math.max(0, parsed.ms), LONGEST_TTL_MS) : undefined;
}

/** What `messageTtlMs` reads; empty where nothing is said. */
export const ttlText = (metadata: Readonly<Record<string, string>>): string =>
  named(metadata, 'ttl') || named(metadata, 'ttlinseconds') || '';

function named(metadata: Readonly<Record<string, string>>, lower: string): string | undefined {
  const name = Object.keys(metadata).find((one) => one.toLowerCase() === lower);
  return name === undefined ? undefined : metadata[name];
}
