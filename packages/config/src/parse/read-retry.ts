import type { Entry, Reading } from './entries.ts';
import { type MapReader, readObject } from './map-reader.ts';
import { readMatching } from './read-matching.ts';
import { readBudget } from './read-own-policies.ts';
import type { RetryRule } from './resiliency-document.ts';
import { type FieldsOf, MATCHING, RETRY } from './vocabulary.ts';

/** What Dapr fixes and the file cannot say, and what it assumes where the file is silent. */
export const RETRY_DEFAULTS = {
  durationMs: 5_000,
  initialIntervalMs: 500,
  factor: 1.5,
  jitterRatio: 0.5,
  maxIntervalMs: 60_000,
  maxElapsedMs: 15 * 60_000,
} as const;

type Reader = MapReader<FieldsOf<typeof RETRY>>;

/** One entry of `policies.retries`; `undefined` where it cannot be used. */
export function readRetry(reading: Reading, entry: Entry): RetryRule | undefined {
  const path = `retries.${entry.key}`;
  const reader = readObject(reading, entry, path, RETRY);
  const exponential = readBackoff(reader) === 'exponential';
  const matches = readMatching(reading, reader.entry('matching'), path, MATCHING);
  const duration = reader.duration('duration');
  const maxInterval = reader.duration('maxInterval');
  const initialInterval = reader.duration('initialInterval');
  const maxRetries = reader.integer('maxRetries')?.value ?? -1;
  const jitter = readJitter(reader);
  const budget = readBudget(reading, reader.entry('budget'), path, reader);
  if (reader.broken || matches === undefined) return undefined;

  const ignored = exponential
    ? (['duration'] as const)
    : (['maxInterval', 'initialInterval'] as const);
  for (const name of ignored) {
    if (reader.entry(name) === undefined) continue;
    reader.fault(
      name,
      'ignored-field',
      `has no effect on ${exponential ? 'exponential' : 'constant'}`,
    );
  }
  const share = budget === undefined ? {} : { budget };
  const named = { name: entry.key, at: reader.place(), matches, ...share };
  const retries = maxRetries < 0 ? Number.POSITIVE_INFINITY : maxRetries;
  if (!exponential) {
    const delayMs = duration?.value ?? RETRY_DEFAULTS.durationMs;
    const { maxElapsedMs } = NO_TOTAL;
    const numbers = { delayMs, factor: 1, maxDelayMs: delayMs, maxElapsedMs, maxRetries: retries };
    return { ...named, backoff: 'constant', ...numbers, jitter: jitter ?? 'none' };
  }
  const maxDelayMs = maxInterval?.value ?? RETRY_DEFAULTS.maxIntervalMs;
  return {
    ...named,
    backoff: 'exponential',
    delayMs: Math.min(initialInterval?.value ?? RETRY_DEFAULTS.initialIntervalMs, maxDelayMs),
    factor: RETRY_DEFAULTS.factor,
    maxDelayMs,
    jitter: jitter ?? { ratio: RETRY_DEFAULTS.jitterRatio },
    maxRetries: retries,
    maxElapsedMs: RETRY_DEFAULTS.maxElapsedMs,
  };
}

/** Constant retries go on for as long as they are told to; only exponential ones have a total. */
const NO_TOTAL = { maxElapsedMs: Number.POSITIVE_INFINITY } as const;

function readBackoff(reader: Reader): 'constant' | 'exponential' {
  return reader.text('policy')?.value === 'exponential' ? 'exponential' : 'constant';
}

/** Ours: none, full, equal, or a ratio. */
function readJitter(reader: Reader): RetryRule['jitter'] | undefined {
  const jitter = reader.text('jitter')?.value;
  if (jitter === undefined) return undefined;
  if (jitter === 'none' || jitter === 'full' || jitter === 'equal') return jitter;
  const ratio = Number(jitter);
  if (ratio >= 0 && ratio <= 1) return ratio === 0 ? 'none' : { ratio };
  reader.fault('jitter', 'unknown-value', `is "${jitter}", and can be none, full, equal or 0 to 1`);
  reader.broken = true;
  return undefined;
}
