import {
  bulkhead,
  circuitBreaker,
  deadline,
  isPolicyError,
  type Policy,
  type RetryOptions,
  retry,
  timeout,
} from '@holdfast/core';
import type { BreakerRule, BulkheadRule, RetryRule } from './resiliency-document.ts';

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

  /**
   * The policies for a pipeline, outermost first: deadline, retry, circuit
   * breaker, bulkhead, timeout. State belongs to the pipeline that is built from
   * them: a pipeline per method has a circuit and a bulkhead per method.
   */
  policies(statusOf: StatusOf, protocol: Protocol): readonly Policy[];
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
    policies: (statusOf, protocol) => corePolicies(found, statusOf, protocol),
  };
}

function corePolicies(found: Resolved, statusOf: StatusOf, protocol: Protocol): readonly Policy[] {
  const failed = (value: unknown): boolean => {
    const status = statusOf({ value });
    return status !== undefined && isFailure(status, protocol);
  };
  const policies: Policy[] = [];
  if (found.deadline?.limitMs) {
    policies.push(deadline({ name: found.deadline.name, limitMs: found.deadline.limitMs }));
  }
  const rule = found.retry;
  if (rule !== undefined) {
    const retriable = (value: unknown): boolean => {
      const status = statusOf({ value });
      return status !== undefined && isFailure(status, protocol) && rule.matches(status);
    };
    const retryIf = (error: unknown): boolean => isRetriable(error, statusOf, rule);
    policies.push(retry({ ...retryOptions(rule), retryIf, retryIfResult: retriable }));
  }
  if (found.circuitBreaker !== undefined) {
    policies.push(breakerPolicy(found.circuitBreaker, failed));
  }
  if (found.bulkhead !== undefined) {
    policies.push(bulkhead({ name: found.bulkhead.name, ...found.bulkhead.options }));
  }
  if (found.timeout?.limitMs) {
    policies.push(timeout({ name: found.timeout.name, limitMs: found.timeout.limitMs }));
  }
  return policies;
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
function isRetriable(error: unknown, statusOf: StatusOf, rule: RetryRule): boolean {
  if (isPolicyError(error)) return error.code === 'TIMED_OUT';
  const status = statusOf({ error });
  return status === undefined || rule.matches(status);
}

function breakerPolicy(rule: BreakerRule, failureIfResult: (value: unknown) => boolean): Policy {
  const { consecutiveFailures, evaluate } = rule.trip;
  return circuitBreaker({
    name: rule.name,
    ...(consecutiveFailures === undefined ? { trip: evaluate } : { consecutiveFailures }),
    clearIntervalMs: rule.clearIntervalMs,
    openMs: rule.openMs,
    halfOpenPermits: rule.permits,
    successThreshold: rule.permits,
    // A refusal from further in says that we are busy, not that the target is ill.
    failureIf: (error) => !isPolicyError(error) || error.code === 'TIMED_OUT',
    failureIfResult,
  });
}
