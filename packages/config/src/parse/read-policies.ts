import { type Entry, entriesOf, type Reading } from './entries.ts';
import { readObject } from './map-reader.ts';
import { readBreaker } from './read-breaker.ts';
import { readDuration } from './read-duration.ts';
import {
  readBulkhead,
  readCache,
  readFallback,
  readHedge,
  readRateLimit,
} from './read-own-policies.ts';
import { readRetry } from './read-retry.ts';
import type { PolicySet, TimeoutRule } from './resiliency-document.ts';
import { POLICIES } from './vocabulary.ts';

/** Policies of one kind in one file. Compiling a `trip` takes a tenth of a millisecond. */
const MOST_POLICIES = 1_000;

/** `spec.policies`, and the names of those that could not be used, as `retries.name`. */
export function readPolicies(
  reading: Reading,
  entry: Entry | undefined,
): { policies: PolicySet; unusable: Set<string> } {
  const reader = readObject(reading, entry, 'policies', POLICIES);
  const unusable = new Set<string>();

  /** Every entry of a section; a broken one is left out and its name kept. */
  const section = <Rule>(
    name: keyof PolicySet,
    read: (reading: Reading, entry: Entry) => Rule | undefined,
  ): Map<string, Rule> => {
    const rules = new Map<string, Rule>();
    const written = reader.entry(name);
    if (written === undefined) return rules;
    const entries = entriesOf(reading, written, `policies.${name}`) ?? [];
    for (const [count, each] of entries.entries()) {
      if (count >= MOST_POLICIES) {
        const message = `policies.${name} has over ${MOST_POLICIES} entries, the limit`;
        reading.report.add(each.keyOffset, 'too-many-entries', message);
        break;
      }
      const rule = read(reading, each);
      if (rule === undefined) unusable.add(`${name}.${each.key}`);
      else rules.set(each.key, rule);
    }
    return rules;
  };

  const policies: PolicySet = {
    timeouts: section('timeouts', (_, each) => readLimit(reading, each, 'timeouts')),
    retries: section('retries', readRetry),
    circuitBreakers: section('circuitBreakers', readBreaker),
    bulkheads: section('bulkheads', readBulkhead),
    deadlines: section('deadlines', (_, each) => readLimit(reading, each, 'deadlines')),
    rateLimits: section('rateLimits', readRateLimit),
    hedges: section('hedges', readHedge),
    caches: section('caches', readCache),
    fallbacks: section('fallbacks', readFallback),
  };
  return { policies, unusable };
}

function readLimit(
  reading: Reading,
  entry: Entry,
  section: 'timeouts' | 'deadlines',
): TimeoutRule | undefined {
  const limitMs = readDuration(reading, entry, `${section}.${entry.key}`);
  if (limitMs === undefined) return undefined;
  return { name: entry.key, at: reading.report.place(entry.keyOffset), limitMs };
}
