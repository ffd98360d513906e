import { type Entry, entriesOf, type Reading, spelling } from './entries.ts';
import { type MapReader, readObject, valuesOf } from './map-reader.ts';
import { BUDGET, BULKHEAD, CACHE, FALLBACK, HEDGE, RATE_LIMIT } from './own-vocabulary.ts';
import type {
  BudgetRule,
  BulkheadRule,
  CacheRule,
  FallbackRule,
  HedgeRule,
  RateLimitRule,
} from './resiliency-document.ts';
import { HTTP_CODES, parseStatusCodes, statusMatcher } from './status-codes.ts';
import type { FieldsOf } from './vocabulary.ts';

// The policies that are Holdfast's; each reads as `undefined` where it cannot be used.

export function readBulkhead(reading: Reading, entry: Entry): BulkheadRule | undefined {
  const reader = readObject(reading, entry, `bulkheads.${entry.key}`, BULKHEAD);
  const limit = reader.integer('maxConcurrent');
  const queueLimit = reader.integer('maxQueue');
  const queueTimeout = reader.duration('queueTimeout');
  if (reader.broken) return undefined;
  if (limit === undefined) {
    reader.missing('maxConcurrent');
    return undefined;
  }
  const options = {
    limit: limit.value,
    ...valuesOf({ queueLimit }),
    ...(queueTimeout === undefined ? {} : { queueTimeoutMs: Math.max(1, queueTimeout.value) }),
  };
  return { name: entry.key, at: reader.place(), options };
}

/** The budget at `entry`; `owner`, whose it is, hears when it cannot be used. */
export function readBudget(
  reading: Reading,
  entry: Entry | undefined,
  path: string,
  owner: { broken: boolean },
): BudgetRule | undefined {
  if (entry === undefined) return undefined;
  const reader = readObject(reading, entry, `${path}.budget`, BUDGET);
  const ratio = reader.number('ratio');
  const minPerSecond = reader.number('minPerSecond');
  const window = reader.duration('window');
  if (reader.broken) owner.broken = true;
  return valuesOf({ ratio, minPerSecond, windowMs: window });
}

export function readRateLimit(reading: Reading, entry: Entry): RateLimitRule | undefined {
  const reader = readObject(reading, entry, `rateLimits.${entry.key}`, RATE_LIMIT);
  const limit = reader.integer('limit');
  const interval = reader.duration('interval');
  const burst = reader.integer('burst');
  const maxWait = reader.duration('maxWait');
  if (reader.broken) return undefined;
  if (limit === undefined) {
    reader.missing('limit');
    return undefined;
  }
  const given = valuesOf({ intervalMs: interval, burst, maxWaitMs: maxWait });
  const options = { limit: limit.value, ...given };
  return { name: entry.key, at: reader.place(), options };
}

export function readHedge(reading: Reading, entry: Entry): HedgeRule | undefined {
  const path = `hedges.${entry.key}`;
  const reader = readObject(reading, entry, path, HEDGE);
  const delay = reader.duration('delay');
  const quantile = reader.number('quantile');
  const maxHedges = reader.integer('maxHedges');
  const budget = readBudget(reading, reader.entry('budget'), path, reader);
  if (reader.broken) return undefined;
  if (delay !== undefined && quantile !== undefined) {
    reader.fault('quantile', 'ignored-field', 'has no effect beside delay');
  }
  const when =
    delay === undefined
      ? { quantile: quantile === undefined ? undefined : { quantile: quantile.value } }
      : { delayMs: delay.value };
  const options = { ...when, ...valuesOf({ maxHedges }) };
  const share = budget === undefined ? {} : { budget };
  return { name: entry.key, at: reader.place(), options, ...share };
}

/** What is kept where the file does not say: a client chooses the paths, so there is always a limit. */
const CACHE_BYTES = 16 * 1024 * 1024;

export function readCache(reading: Reading, entry: Entry): CacheRule | undefined {
  const reader = readObject(reading, entry, `caches.${entry.key}`, CACHE);
  const ttl = reader.duration('ttl');
  const stale = reader.duration('stale');
  const staleIfError = reader.duration('staleIfError');
  const maxEntries = reader.integer('maxEntries');
  const maxBytes = reader.integer('maxBytes')?.value ?? CACHE_BYTES;
  if (reader.broken) return undefined;
  const given = valuesOf({
    ttlMs: ttl,
    staleMs: stale,
    staleIfErrorMs: staleIfError,
    maxEntries,
  });
  const options = { maxBytes, ...given };
  return { name: entry.key, at: reader.place(), options };
}

export function readFallback(reading: Reading, entry: Entry): FallbackRule | undefined {
  const path = `fallbacks.${entry.key}`;
  const reader = readObject(reading, entry, path, FALLBACK);
  const status = reader.integer('status')?.value ?? 200;
  const body = reader.text('body')?.value ?? '';
  const headers = readHeaders(reading, reader, path);
  const codes = reader.text('httpStatusCodes')?.value ?? '500-599';
  const parsed = parseStatusCodes(codes, HTTP_CODES);
  if ('fault' in parsed) {
    reader.fault('httpStatusCodes', 'bad-status-codes', `cannot be read: ${parsed.fault}`);
    return undefined;
  }
  if (reader.broken || headers === undefined) return undefined;
  if ((status === 204 || status === 304) && body !== '') {
    reader.fault('body', 'ignored-field', `has no effect on status ${status}`);
  }
  const matches = statusMatcher(parsed.ranges, undefined);
  return { name: entry.key, at: reader.place(), status, body, headers, matches };
}

/** Who says these is the sidecar. */
const FRAMING = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding']);

function readHeaders(
  reading: Reading,
  reader: MapReader<FieldsOf<typeof FALLBACK>>,
  path: string,
): string[] | undefined {
  const entry = reader.entry('headers');
  const entries = entry === undefined ? [] : entriesOf(reading, entry, `${path}.headers`);
  if (entries === undefined) return undefined;
  const headers: string[] = [];
  let broken = false;
  for (const { key, keyOffset, value, offset } of entries) {
    const text = value === null ? '' : spelling(value);
    const name = key.toLowerCase();
    const fault = headerFault(name, text);
    if (fault === undefined) {
      headers.push(name, text!);
      continue;
    }
    const at = fault.of === 'name' ? keyOffset : offset;
    reading.report.add(at, 'bad-header', `${path}.headers.${key} ${fault.says}`);
    broken = true;
  }
  if (!headers.includes('content-type')) headers.push('content-type', 'text/plain');
  return broken ? undefined : headers;
}

function headerFault(name: string, value: string | undefined) {
  if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return { of: 'name', says: 'is no header name' };
  if (FRAMING.has(name)) return { of: 'name', says: 'is for the sidecar to say' };
  if (value === undefined) return { of: 'value', says: 'must be a text' };
  if (/[^\t\u0020-\u007e]/.test(value))
    return { of: 'value', says: 'has a character that no header can carry' };
  return undefined;
}
