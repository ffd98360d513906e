import type { LabelRule, MetricsSettings } from '../resources/metrics-settings.ts';

/** The settings in force in daprd's words, as its log has them: operators look for the line. */
export function metricSpec(settings: MetricsSettings): string {
  const { byPath, byVerb, enabled, errorCodes, latencyBucketsMs, pathPatterns, rules } = settings;
  return JSON.stringify({
    enabled,
    recordErrorCodes: errorCodes || undefined,
    http: {
      increasedCardinality: byPath,
      pathMatching: pathPatterns.length > 0 ? pathPatterns : undefined,
      excludeVerbs: byVerb ? undefined : true,
    },
    latencyDistributionBuckets: latencyBucketsMs,
    rules: rules.length > 0 ? rules.map(specOf) : undefined,
  });
}

const specOf = ({ label, metric, rewrites }: LabelRule) => ({
  name: metric,
  labels: [{ name: label, regex: Object.fromEntries(rewrites.map(({ from, to }) => [to, from])) }],
});
