export { decodeUtf8 } from './files/decode-utf8.ts';
export {
  type LoadedResiliency,
  type LoadOptions,
  loadResiliency,
  ResiliencyFileError,
} from './files/load-resiliency.ts';
export type { Source, Sources } from './files/read-sources.ts';
export { type WatchOptions, watchResiliency } from './files/watch-resiliency.ts';
export {
  digestSources,
  type Watching,
  type WatchSourcesOptions,
  watchSources,
} from './files/watch-sources.ts';
export { type ParsedDuration, parseDuration } from './parse/duration.ts';
export { goScalars } from './parse/go-scalars.ts';
export { type MethodPattern, methodMatches } from './parse/method-pattern.ts';
export { nearest } from './parse/nearest.ts';
export { type ParsedResiliency, parseResiliency } from './parse/parse-resiliency.ts';
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
} from './parse/resiliency-document.ts';
export { BUILT_IN_RETRIES, type BuiltInRetry } from './policies/built-in-retries.ts';
export {
  COMPONENT_TYPES,
  type ComponentType,
  type Direction,
} from './policies/default-policies.ts';
export type { LayerKind, LayerOptions, Means, PolicyLayer } from './policies/policy-layers.ts';
export type { DefinedNames, ResiliencyPolicies } from './policies/resiliency-policies.ts';
export {
  isFailure,
  type MethodPolicies,
  type Outcome,
  type Protocol,
  retryOptions,
  type StatusOf,
  type TargetPolicies,
} from './policies/target-policies.ts';
export { checkResiliency } from './problems/check-resiliency.ts';
export { formatProblem, isBroken, type Problem } from './problems/problem.ts';
export type { Place } from './problems/report.ts';
export { RULES, type Rule, type RuleName, type Severity } from './problems/rules.ts';
