export { circuitBreaker } from './breaker/breaker.ts';
export {
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
  type FailureRatio,
  type ResolvedCircuitBreakerOptions,
} from './breaker/options.ts';
export type { CircuitCounts, CircuitSnapshot } from './breaker/snapshot.ts';
export {
  RETRY_BUDGET_DEFAULTS,
  type RetryBudget,
  type RetryBudgetOptions,
  type RetryBudgetSnapshot,
  retryBudget,
} from './budget/retry-budget.ts';
export { bulkhead } from './bulkhead/bulkhead.ts';
export {
  BULKHEAD_DEFAULTS,
  type BulkheadOptions,
  type ResolvedBulkheadOptions,
} from './bulkhead/options.ts';
export {
  checkFunction,
  checkInteger,
  checkName,
  checkNumber,
  checkOneOf,
  LONGEST_TIMER_MS,
} from './check.ts';
export { type Clock, systemClock, type Timer } from './clock.ts';
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
export type { CircuitState, Listener, Outcome, PolicyEvent } from './events.ts';
export type { ExplainedStep, Explanation, Refusal } from './explain/explain.ts';
export { fallback } from './fallback/fallback.ts';
export {
  FALLBACK_DEFAULTS,
  type FallbackOptions,
  type FallbackStep,
  type ResolvedFallbackOptions,
} from './fallback/options.ts';
export { HedgeLostError, hedge } from './hedge/hedge.ts';
export {
  HEDGE_DEFAULTS,
  HEDGE_QUANTILE_DEFAULTS,
  type HedgeOptions,
  type HedgeQuantile,
  type ResolvedHedgeOptions,
} from './hedge/options.ts';
export { type Pipeline, type PipelineSnapshot, type PolicySnapshot, pipeline } from './pipeline.ts';
export {
  type Call,
  type CallFunction,
  CRITICALITIES,
  type Criticality,
  type ExecuteOptions,
  type Policy,
  type PolicyKind,
} from './policy.ts';
export { type Random, systemRandom } from './random.ts';
export { createRegistry, type Registry, registry } from './registry.ts';
export {
  type CustomBackoff,
  RETRY_DEFAULTS,
  type ResolvedRetryOptions,
  type RetryOptions,
} from './retry/options.ts';
export { retry } from './retry/retry.ts';
export { deadline } from './timeout/deadline.ts';
export {
  DEADLINE_DEFAULTS,
  type DeadlineOptions,
  type ResolvedTimeLimitOptions,
  TIMEOUT_DEFAULTS,
  type TimeoutOptions,
} from './timeout/options.ts';
export { timeout } from './timeout/timeout.ts';
