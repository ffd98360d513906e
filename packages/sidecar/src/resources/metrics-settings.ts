import { ConfigurationError } from './configuration-error.ts';
import type { Place } from './place.ts';
import { readLabelRules } from './read-label-rules.ts';
import { at, isRecord } from './resource-files.ts';

/** Rewrites the values of one label of one metric (`spec.metrics.rules`). */
export interface LabelRule {
  /** As it is on the page, with `dapr_` or without. */
  readonly metric: string;
  readonly label: string;
  /** What each match of an expression, which is Go's, becomes; one after the other. */
  readonly rewrites: readonly { readonly from: string; readonly to: string }[];
}

/** What `spec.metrics` says of how things are counted. */
export interface MetricsSettings {
  /** @default true */
  readonly enabled: boolean;
  /** Whether errors of the API are counted by their code. @default false */
  readonly errorCodes: boolean;
  /** @default [] */
  readonly rules: readonly LabelRule[];
  /** Upper bounds of latency histograms, in milliseconds. @default Dapr's */
  readonly latencyBucketsMs?: readonly number[] | undefined;
  /** Whether HTTP is counted by path. @default true, as in Dapr */
  readonly byPath: boolean;
  /** Paths counted under one name, of an application and in invocations of it: `/orders/{id}`. @default [] */
  readonly pathPatterns: readonly string[];
  /** Whether HTTP is counted by verb. @default true */
  readonly byVerb: boolean;
}

export const METRICS_SETTINGS: MetricsSettings = {
  enabled: true,
  errorCodes: false,
  rules: [],
  byPath: true,
  pathPatterns: [],
  byVerb: true,
};

/**
 * Reads `spec.metrics`; what it does not say is as `before`. `warn` is told of a rule that cannot be.
 *
 * @throws ConfigurationError for any other value that cannot be.
 */
export function readMetricsSettings(
  given: unknown,
  place: Place,
  before: MetricsSettings,
  warn: (message: string) => void,
): MetricsSettings {
  if (!isRecord(given)) return before;
  const http = at(given, 'http');
  return {
    enabled: flag(given.enabled, place.at('enabled')) ?? before.enabled,
    errorCodes: flag(given.recordErrorCodes, place.at('recordErrorCodes')) ?? before.errorCodes,
    rules: readLabelRules(given.rules, place.at('rules'), warn) ?? before.rules,
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
  // An empty list means Dapr's own, as with daprd.
  if (Array.isArray(given) && given.every(rising)) return given.length > 0 ? given : undefined;
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
