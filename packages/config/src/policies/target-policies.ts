import { circuitBreaker, isPolicyError, type Policy, type RetryOptions } from '@holdfast/core';
import type { MethodPattern } from '../parse/method-pattern.ts';
import type {
  BreakerRule,
  BulkheadRule,
  CacheRule,
  FallbackRule,
  HedgeRule,
  RateLimitRule,
  RetryRule,
} from '../parse/resiliency-document.ts';
import { type LayerOptions, type Means, type PolicyLayer, policyLayers } from './policy-layers.ts';

/** How a call ended: with a value or with an error. */
export interface Outcome {
  readonly value?: unknown;
  readonly error?: unknown;
}

/** The status code that an outcome carries, if it carries one. */
export type StatusOf = (outcome: Outcome) => number | undefined;

/** In whose terms a status code is a success: HTTP's 200 to 399, gRPC's 0. */
export type Protocol = 'http' | 'grpc';

/** What applies to one target, resolved: every name looked up, every default decided. */
export interface TargetPolicies {
  /** Named under `targets`, be it with nothing: the defaults are off, and so is the built-in retry of apps. */
  readonly listed: boolean;
  /** Of one attempt, in milliseconds. */
  readonly timeoutMs?: number;
  readonly retry?: RetryRule;
  readonly circuitBreaker?: BreakerRule;
  /** Circuits to keep for this target; the least used is forgotten. */
  readonly circuitCacheSize: number;
  /** Whether the actors of a type share a circuit (`both` is as `id`); actors only. */
  readonly circuitScope?: 'type' | 'id' | 'both';
  /** Ours: attempts at a time. */
  readonly bulkhead?: BulkheadRule;
  /** Ours: of the whole call with its retries and waits, in milliseconds. */
  readonly deadlineMs?: number;
  /** Ours: calls per second. */
  readonly rateLimit?: RateLimitRule;
  /** Ours, and for requests of HTTP alone. */
  readonly hedge?: HedgeRule;
  readonly cache?: CacheRule;
  readonly fallback?: FallbackRule;
  /** Ours: the methods with policies of their own, the most exact first. */
  readonly methods: readonly MethodPolicies[];

  /**
   * The policies for a pipeline, outermost first: fallback, cache, deadline, rate
   * limit, retry, circuit breaker, bulkhead, timeout, hedge. State belongs to the
   * pipeline that is built from them: a pipeline per method has a circuit and a
   * bulkhead per method.
   */
  policies(statusOf: StatusOf, protocol: Protocol, means?: Means): readonly Policy[];

  /** The same by who shares their state, for pipelines inside each other. */
  layers(options: LayerOptions): readonly PolicyLayer[];
}

/** What applies to some methods of an app, in place of what applies to the app. */
export interface MethodPolicies {
  /** As written. */
  readonly name: string;
  readonly pattern: MethodPattern;
  /** What it has from the app included. */
  readonly policies: TargetPolicies;
  /** Whether its calls count against the app's rate, and wait for places of the app's bulkhead. */
  readonly sharesRate: boolean;
  readonly sharesBulkhead: boolean;
}

/** What `resolve` found for a target. */
export interface Resolved {
  readonly listed: boolean;
  readonly timeout?: { readonly name: string; readonly limitMs: number } | undefined;
  readonly retry?: RetryRule | undefined;
  readonly circuitBreaker?: BreakerRule | undefined;
  readonly circuitCacheSize: number;
  readonly circuitScope?: 'type' | 'id' | 'both' | undefined;
  readonly bulkhead?: BulkheadRule | undefined;
  readonly deadline?: { readonly name: string; readonly limitMs: number } | undefined;
  readonly rateLimit?: RateLimitRule | undefined;
  readonly hedge?: HedgeRule | undefined;
  readonly cache?: CacheRule | undefined;
  readonly fallback?: FallbackRule | undefined;
  readonly methods?: readonly MethodPolicies[] | undefined;
}

/** Puts what was found in the form that the sidecar uses. A limit of 0 is no limit, so no policy. */
export function targetPolicies(found: Resolved): TargetPolicies {
  const timeoutMs = found.timeout?.limitMs || undefined;
  const deadlineMs = found.deadline?.limitMs || undefined;
  return {
    listed: found.listed,
    circuitCacheSize: found.circuitCacheSize,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(found.retry === undefined ? {} : { retry: found.retry }),
    ...(found.circuitBreaker === undefined ? {} : { circuitBreaker: found.circuitBreaker }),
    ...(found.circuitScope === undefined ? {} : { circuitScope: found.circuitScope }),
    ...(found.bulkhead === undefined ? {} : { bulkhead: found.bulkhead }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(found.rateLimit === undefined ? {} : { rateLimit: found.rateLimit }),
    ...(found.hedge === undefined ? {} : { hedge: found.hedge }),
    ...(found.cache === undefined ? {} : { cache: found.cache }),
    ...(found.fallback === undefined ? {} : { fallback: found.fallback }),
    methods: found.methods ?? [],
    policies: (statusOf, protocol, means = {}) =>
      policyLayers(found, { statusOf, protocol, means, whole: true }).flatMap((layer) => [
        ...layer.policies,
      ]),
    layers: (options) => policyLayers(found, options),
  };
}

/** Dapr's rule for HTTP and for gRPC; 4xx is a failure for the breaker as much as 5xx. */
export function isFailure(status: number, protocol: Protocol): boolean {
  return protocol === 'http' ? status < 200 || status >= 400 : status !== 0;
}

/** The numbers of a retry for `retry()` of core, without what decides. */
export function retryOptions(rule: RetryRule): RetryOptions {
  const { name, backoff, delayMs, factor, maxDelayMs, jitter, maxRetries, maxElapsedMs } = rule;
  return { name, backoff, delayMs, factor, maxDelayMs, jitter, maxRetries, maxElapsedMs };
}

/**
 * A time-out and an error without a status (a connection, a name that does not
 * resolve) are always retried: `matching` cannot exclude them. What a policy of
 * ours refused is not: the circuit stays open however often one asks.
 */
export function isRetriable(error: unknown, statusOf: StatusOf, rule: RetryRule): boolean {
  if (isPolicyError(error)) return error.code === 'TIMED_OUT';
  const status = statusOf({ error });
  return status === undefined || rule.matches(status);
}

/** The circuit breaker of a rule; `counts` of the rule narrows what is a failure. */
export function breakerPolicy(rule: BreakerRule, statusOf: StatusOf, protocol: Protocol): Policy {
  const { counts } = rule;
  const failed = (status: number | undefined): boolean =>
    status !== undefined && isFailure(status, protocol) && (counts?.(status) ?? true);
  const { consecutiveFailures, evaluate } = rule.trip;
  return circuitBreaker({
    name: rule.name,
    ...(consecutiveFailures === undefined ? { trip: evaluate } : { consecutiveFailures }),
    clearIntervalMs: rule.clearIntervalMs,
    openMs: rule.openMs,
    halfOpenPermits: rule.permits,
    successThreshold: rule.permits,
    failureIf: (error) => {
      // A refusal from further in says that we are busy, not that the target is ill.
      if (isPolicyError(error)) return error.code === 'TIMED_OUT';
      if (counts === undefined) return true;
      const status = statusOf({ error });
      return status === undefined || counts(status);
    },
    failureIfResult: (value) => failed(statusOf({ value })),
  });
}
