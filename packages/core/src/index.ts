export { adaptiveLimit } from './adaptive-limit/adaptive-limit.ts';
export {
  ADAPTIVE_LIMIT_DEFAULTS,
  type AdaptiveLimitOptions,
  type ResolvedAdaptiveLimitOptions,
} from './adaptive-limit/options.ts';
export { circuitBreaker } from './breaker/breaker.ts';
export type { CallRatio } from './breaker/call-ratio.ts';
export {
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
  type FailureRatio,
  type ResolvedCircuitBreakerOptions,
  type SlowCalls,
} from './breaker/options.ts';
export type {
  CircuitStore,
  NodeReport,
  Quorum,
  SharedVerdict,
} from './breaker/shared/circuit-store.ts';
export { memoryCircuitStore } from './breaker/shared/memory-circuit-store.ts';
export {
  type ResolvedSharedCircuitOptions,
  SHARED_CIRCUIT_DEFAULTS,
  type SharedCircuitOptions,
} from './breaker/shared/options.ts';
export type { CircuitCounts, CircuitSnapshot } from './breaker/snapshot/snapshot.ts';
export {
  RETRY_BUDGET_DEFAULTS,
  type RetryBudget,
  type RetryBudgetOptions,
  type RetryBudgetSnapshot,
  retryBudget,
} from './budget/retry-budget.ts';
export { bulkhead } from './bulkhead/bulkhead.ts';
export type { QueueOrder } from './bulkhead/gate.ts';
export {
  BULKHEAD_DEFAULTS,
  type BulkheadOptions,
  type ResolvedBulkheadOptions,
} from './bulkhead/options.ts';
export { cache } from './cache/cache.ts';
export type { CacheStore, StoredAnswer } from './cache/cache-store.ts';
export {
  CACHE_DEFAULTS,
  type CacheOptions,
  type ResolvedCacheOptions,
} from './cache/options.ts';
export {
  checkBoolean,
  checkFunction,
  checkInteger,
  checkName,
  checkNumber,
  checkOneOf,
  LONGEST_TIMER_MS,
} from './check.ts';
export { type Clock, systemClock, type Timer } from './clock.ts';
export { protect } from './decorator/protect.ts';
export type { ForcedState } from './engine/stage.ts';
export type { Env } from './env.ts';
export {
  BulkheadFullError,
  CircuitBusyError,
  CircuitOpenError,
  DeadlineExceededError,
  isPolicyError,
  LimitExceededError,
  PolicyError,
  type PolicyErrorCode,
  QueueTimedOutError,
  RateLimitedError,
  ShedError,
  ThrottledError,
  TimedOutError,
} from './errors.ts';
export type { CircuitState, Listener, Outcome, OwnCircuitState, PolicyEvent } from './events.ts';
export type { ExplainedStep, Explanation, Refusal } from './explain/explain.ts';
export type { Remark } from './explain/remarks.ts';
export { fallback } from './fallback/fallback.ts';
export {
  FALLBACK_DEFAULTS,
  type FallbackAnswer,
  type FallbackOptions,
  type FallbackStep,
  type ResolvedFallbackOptions,
  type ResolvedFallbackStep,
} from './fallback/options.ts';
export { fault } from './fault/fault.ts';
export type { FaultSwitch } from './fault/fault-switch.ts';
export { isInjectedFault } from './fault/injected.ts';
export {
  FAULT_DEFAULTS,
  type FaultKind,
  type FaultOptions,
  type FaultTarget,
  type ResolvedFaultOptions,
} from './fault/options.ts';
export { HedgeLostError, hedge } from './hedge/hedge.ts';
export {
  HEDGE_DEFAULTS,
  HEDGE_QUANTILE_DEFAULTS,
  type HedgeOptions,
  type HedgeQuantile,
  type ResolvedHedgeOptions,
} from './hedge/options.ts';
export {
  type KeyedExecuteOptions,
  type KeyedPipeline,
  type KeyedPipelineOptions,
  type KeyedPolicies,
  type KeyedSnapshot,
  keyedPipeline,
} from './keyed/keyed-pipeline.ts';
export {
  type Pipeline,
  type PipelineSnapshot,
  type PolicySnapshot,
  pipeline,
  type Wrappable,
} from './pipeline.ts';
export {
  type Call,
  type CallFunction,
  CRITICALITIES,
  type Criticality,
  type Degraded,
  type DegradedKind,
  type ExecuteOptions,
  type OfResult,
  type Policy,
  type PolicyKind,
} from './policy.ts';
export { type Random, systemRandom } from './random.ts';
export { memoryRateStore } from './rate-limit/memory-rate-store.ts';
export {
  RATE_LIMIT_DEFAULTS,
  type RateLimitOptions,
  type ResolvedRateLimitOptions,
} from './rate-limit/options.ts';
export { rateLimit } from './rate-limit/rate-limit.ts';
export type { RateAnswer, RateRule, RateStore } from './rate-limit/rate-store.ts';
export { createRegistry, type Registry, registry } from './registry.ts';
export { type BackoffRules, delayBefore } from './retry/backoff.ts';
export {
  type BackoffContext,
  type CustomBackoff,
  RETRY_DEFAULTS,
  type ResolvedRetryOptions,
  type RetryOptions,
} from './retry/options.ts';
export { retry } from './retry/retry.ts';
export { type AttemptOutcome, parseRetryAfter, retryAfterHint } from './retry/retry-after.ts';
export { eventLoopDelay, type LoadProbe } from './shed/load-probe.ts';
export { type ResolvedShedOptions, SHED_DEFAULTS, type ShedOptions } from './shed/options.ts';
export { shed } from './shed/shed.ts';
export { STANDARD_DEFAULTS, type StandardOptions, standard } from './standard/standard.ts';
export {
  type ResolvedThrottleOptions,
  THROTTLE_DEFAULTS,
  type ThrottleOptions,
} from './throttle/options.ts';
export { throttle } from './throttle/throttle.ts';
export { deadline } from './timeout/deadline.ts';
export {
  DEADLINE_DEFAULTS,
  type DeadlineOptions,
  type LimitedCall,
  type LimitFor,
  type ResolvedTimeLimitOptions,
  type ResolvedTimeoutOptions,
  TIMEOUT_DEFAULTS,
  type TimeoutOptions,
} from './timeout/options.ts';
export { timeout } from './timeout/timeout.ts';
