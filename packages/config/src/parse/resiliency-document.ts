import type {
  BulkheadOptions,
  CacheOptions,
  HedgeOptions,
  RateLimitOptions,
  RetryBudgetOptions,
  RetryOptions,
} from '@holdfast/core';
import type { Place } from '../problems/report.ts';
import type { Trip } from '../trip/trip.ts';
import type { MethodPattern } from './method-pattern.ts';

/** A named policy, or a target: everything has a place to point at. */
interface Named {
  readonly name: string;
  /** Where it is written; `undefined` for what is built in. */
  readonly at: Place | undefined;
}

export interface TimeoutRule extends Named {
  /** Milliseconds; 0 is no limit. */
  readonly limitMs: number;
}

/** A retry in the words of `@holdfast/core`. */
export interface RetryRule extends Named {
  readonly backoff: 'constant' | 'exponential';
  /** Wait before the first retry, before jitter. Milliseconds. */
  readonly delayMs: number;
  readonly factor: number;
  /** Longest wait, before jitter. Milliseconds. */
  readonly maxDelayMs: number;
  readonly jitter: NonNullable<RetryOptions['jitter']>;
  /** `Infinity` where unlimited. */
  readonly maxRetries: number;
  /** No retry begins after this much time. Milliseconds. */
  readonly maxElapsedMs: number;
  /** Whether a failure with this HTTP or gRPC status may be retried. */
  readonly matches: (code: number) => boolean;
  /** Ours: the share of calls that may be retries; each target has one of its own. */
  readonly budget?: BudgetRule;
}

/** A budget as written; the same rule is the same budget within a target. */
export type BudgetRule = Omit<RetryBudgetOptions, 'name'>;

/** A circuit breaker in the words of `@holdfast/core`. */
export interface BreakerRule extends Named {
  /** Probes while half-open, and successes needed to close. */
  readonly permits: number;
  /** Milliseconds; 0 is never. */
  readonly clearIntervalMs: number;
  readonly openMs: number;
  readonly trip: Trip;
  /** Ours: whether this status counts as a failure. Undefined: every one that is no success does. */
  readonly counts?: (code: number) => boolean;
}

export interface BulkheadRule extends Named {
  readonly options: Omit<BulkheadOptions, 'name'>;
}

export interface RateLimitRule extends Named {
  readonly options: Omit<RateLimitOptions, 'name' | 'store'>;
}

export interface HedgeRule extends Named {
  readonly options: Omit<HedgeOptions, 'name' | 'budget'>;
  readonly budget?: BudgetRule;
}

export interface CacheRule extends Named {
  readonly options: Pick<
    CacheOptions,
    'ttlMs' | 'staleMs' | 'staleIfErrorMs' | 'maxEntries' | 'maxBytes'
  >;
}

/** A fixed answer, and what it stands in for. */
export interface FallbackRule extends Named {
  readonly status: number;
  readonly body: string;
  /** `name, value, …`, names in lower case. */
  readonly headers: readonly string[];
  /** Whether it stands in for an answer with this status. */
  readonly matches: (status: number) => boolean;
}

/** The name of a policy as a target writes it. */
export interface Reference {
  readonly name: string;
  readonly at: Place;
}

export interface PolicyNames {
  readonly timeout?: Reference;
  readonly retry?: Reference;
  readonly circuitBreaker?: Reference;
  readonly bulkhead?: Reference;
  readonly deadline?: Reference;
  readonly rateLimit?: Reference;
  readonly hedge?: Reference;
  readonly cache?: Reference;
  readonly fallback?: Reference;
}

/** Policies of some methods of an app, in place of the app's own. */
export interface MethodTarget extends Named {
  readonly pattern: MethodPattern;
  readonly names: PolicyNames;
}

export interface AppTarget extends Named, PolicyNames {
  readonly circuitCacheSize: number;
  /** The most exact first. */
  readonly methods: readonly MethodTarget[];
}

/** Whether the actors of a type share a circuit; Dapr treats `both` as `id`. */
export type ActorScope = 'type' | 'id' | 'both';

export interface ActorTarget extends Named, PolicyNames {
  readonly circuitCacheSize: number;
  readonly circuitScope?: ActorScope;
}

export interface ComponentTarget extends Named {
  readonly inbound: PolicyNames;
  readonly outbound: PolicyNames;
}

/** The policies of a document, or of several merged. */
export interface PolicySet {
  readonly timeouts: ReadonlyMap<string, TimeoutRule>;
  readonly retries: ReadonlyMap<string, RetryRule>;
  readonly circuitBreakers: ReadonlyMap<string, BreakerRule>;
  readonly bulkheads: ReadonlyMap<string, BulkheadRule>;
  readonly deadlines: ReadonlyMap<string, TimeoutRule>;
  readonly rateLimits: ReadonlyMap<string, RateLimitRule>;
  readonly hedges: ReadonlyMap<string, HedgeRule>;
  readonly caches: ReadonlyMap<string, CacheRule>;
  readonly fallbacks: ReadonlyMap<string, FallbackRule>;
}

/** The targets of a document, or of several merged. */
export interface TargetSet {
  readonly apps: ReadonlyMap<string, AppTarget>;
  readonly actors: ReadonlyMap<string, ActorTarget>;
  readonly components: ReadonlyMap<string, ComponentTarget>;
}

/** One Resiliency as read from one file, nothing resolved. */
export interface ResiliencyDocument {
  readonly file: string;
  readonly name: string;
  readonly namespace: string;
  /** App ids it is meant for; empty is all. */
  readonly scopes: readonly string[];
  readonly policies: PolicySet;
  readonly targets: TargetSet;
  /** Policies that are there and could not be used, as `retries.name`: naming one is no second fault. */
  readonly unusable: ReadonlySet<string>;
}
