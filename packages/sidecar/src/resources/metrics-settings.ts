import { ConfigurationError } from './configuration-error.ts';
import type { Place } from './place.ts';
import { at, isRecord } from './resource-files.ts';

/** What `spec.metrics` says of how things are counted. */
export interface MetricsSettings {
  /** Upper bounds of latency histograms, in milliseconds. @default Dapr's */
  readonly latencyBucketsMs?: readonly number[] | undefined;
  /** Whether HTTP is counted by path. @default true, as in Dapr */
  readonly byPath: boolean;
  /** Paths counted under one name, of an application and in invocations of it: `/orders/{id}`. @default [] */
  readonly pathPatterns: readonly string[];
  /** Whether HTTP is counted by verb. @default true */
  readonly byVerb: boolean;
}

export const METRICS_SETTINGS: MetricsSettings = { byPath: true, pathPatterns: [], byVerb: true };

/**
 * Reads `spec.metrics`; what it does not say is as `before`.
 *
 * @throws ConfigurationError for a value that cannot be.
 */
export function readMetricsSettings(
  given: unknown,
  place: Place,
  before: MetricsSettings,
): MetricsSettings {
  if (!isRecord(given)) return before;
  const http = at(given, 'http');
  return {
    latencyBucketsMs:
      buckets(given.latencyDistributionBuckets, place.at('latencyDistributionBuckets')) ??
      before.latencyBucketsMs,
    byPath:
      flag(at(http, 'increasedCardinality'), place.at('http', 'increasedCardinality')) ??
      before.byPath,
    pathPatterns:
      patterns(at(http, 'pathMatching'), place.at('http', 'pathMatching')) ?? before.pathPatterns,
    byVerb: not(flag(at(http, 'excludeVerbs'), place.at('http', 'excludeVerbs'))) ?? before.byVerb,
  };
}

const not = (flag: boolean | undefined) => (flag === undefined ? undefined : !flag);

function flag(given: unknown, place: Place): boolean | undefined {
  if (given === undefined || given === null || typeof given === 'boolean')
    return given ?? undefined;
  throw new ConfigurationError(place, 'must be true or false.');
}

function buckets(given: unknown, place: Place): readonly number[] | undefined {
  if (given === undefined || given === null) return undefined;
  const rising = (one: unknown, at: number, all: readonly unknown[]) =>
    typeof one === 'number' && one > (at === 0 ? 0 : (all[at - 1] as number));
  if (Array.isArray(given) && given.length > 0 && given.every(rising)) return given;
  throw new ConfigurationError(
    place,
    'must be a list of milliseconds that rise, such as [5, 50, 500].',
  );
}

function patterns(given: unknown, place: Place): readonly string[] | undefined {
  if (given === undefined || given === null) return undefined;
  const path = (one: unknown) => typeof one === 'string' && one !== '';
  if (Array.isArray(given) && given.every(path)) return given;
  throw new ConfigurationError(place, 'must be a list of paths, such as "/orders/{id}".');
}
