import { compileTrip } from '../trip/compile-trip.ts';
import { DEFAULT_TRIP, TRIP_VARIABLES } from '../trip/trip.ts';
import { type Entry, type Reading, shiftInto } from './entries.ts';
import { readObject } from './map-reader.ts';
import { nearest } from './nearest.ts';
import { readMatching } from './read-matching.ts';
import type { BreakerRule } from './resiliency-document.ts';
import { BREAKER_MATCHING, CIRCUIT_BREAKER } from './vocabulary.ts';

/** Most probes at a time; Dapr has no limit. */
const MOST_PROBES = 10_000;

/** How long a circuit stays open where the file does not say, or says 0. */
const OPEN_MS = 60_000;

/** One entry of `policies.circuitBreakers`; `undefined` where it cannot be used. */
export function readBreaker(reading: Reading, entry: Entry): BreakerRule | undefined {
  const path = `circuitBreakers.${entry.key}`;
  const reader = readObject(reading, entry, path, CIRCUIT_BREAKER);
  const maxRequests = reader.integer('maxRequests')?.value ?? 1;
  const interval = reader.duration('interval')?.value ?? 0;
  const timeout = reader.duration('timeout')?.value ?? 0;

  const { trip, faults } = compileTrip(reader.text('trip')?.value ?? DEFAULT_TRIP);
  for (const { kind, message, offset, word } of faults) {
    const meant = word === undefined ? undefined : nearest(word, TRIP_VARIABLES);
    const shift = shiftInto(reader.entry('trip')?.value ?? null, offset);
    reader.fault('trip', kind, message, meant, shift);
  }
  if (maxRequests > MOST_PROBES) {
    reader.fault('maxRequests', 'adjusted', `is ${maxRequests}, and counts as ${MOST_PROBES}`);
  }
  const matching = reader.entry('matching');
  const counts = readMatching(reading, matching, path, BREAKER_MATCHING);
  if (reader.broken || trip === undefined || counts === undefined) return undefined;
  return {
    name: entry.key,
    at: reader.place(),
    permits: Math.min(Math.max(1, maxRequests), MOST_PROBES),
    clearIntervalMs: interval,
    openMs: timeout === 0 ? OPEN_MS : timeout,
    trip,
    ...(matching === undefined ? {} : { counts }),
  };
}
