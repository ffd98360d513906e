export { BUILT_IN_RETRIES, type BuiltInRetry } from './built-in-retries.ts';
export { checkResiliency } from './check-resiliency.ts';
export { decodeUtf8 } from './decode-utf8.ts';
export { COMPONENT_TYPES, type ComponentType, type Direction } from './default-policies.ts';
export { type ParsedDuration, parseDuration } from './duration.ts';
export {
  type LoadedResiliency,
  type LoadOptions,
  loadResiliency,
  ResiliencyFileError,
} from './load-resiliency.ts';
export { type MethodPattern, methodMatches } from './method-pattern.ts';
export { nearest } from './nearest.ts';
export { type ParsedResiliency, parseResiliency } from './parse-resiliency.ts';
export type { LayerKind, LayerOptions, Means, PolicyLayer } from './policy-layers.ts';
export { formatProblem, isBroken, type Problem } from './problem.ts';
export type { Source, Sources } from './read-sources.ts';
export type { Place } from './report.ts';
export type {
  ActorScope,
  BreakerRule,
  BudgetRule,
  BulkheadRule,
  CacheRule,
  FallbackRule,
  HedgeRule,
  RateLimitRule,
  ResiliencyDocument,
  RetryRule,
} from './resiliency-document.ts';
export type { DefinedNames, ResiliencyPolicies } from './resiliency-policies.ts';
export { RULES, type Rule, type RuleName, type Severity } from './rules.ts';
export {
  isFailure,
  type MethodPolicies,
  type Outcome,
  type Protocol,
  retryOptions,
  type StatusOf,
  type TargetPolicies,
} from './target-policies.ts';
export { type WatchOptions, watchResiliency } from './watch-resiliency.ts';
export {
  digestSources,
  type Watching,
  type WatchSourcesOptions,
  watchSources,
} from './watch-sources.ts';
