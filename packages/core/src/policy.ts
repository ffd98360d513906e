import type { Stage, StageWorld } from './engine/stage.ts';

/** The kinds of policy, as they are named in events, metrics and `explain`. */
export type PolicyKind =
  | 'retry'
  | 'timeout'
  | 'deadline'
  | 'circuitBreaker'
  | 'bulkhead'
  | 'rateLimit'
  | 'adaptiveLimit'
  | 'throttle'
  | 'shed'
  | 'hedge'
  | 'fallback'
  | 'cache'
  | 'fault';

/**
 * How much a call matters when not all can be served, as in chapter 21 of
 * Google's "Site Reliability Engineering"; from the last to be refused to the first.
 */
export const CRITICALITIES = ['critical-plus', 'critical', 'sheddable-plus', 'sheddable'] as const;

export type Criticality = (typeof CRITICALITIES)[number];

/**
 * A policy as written: plain data, checked when it was made. The same object
 * may be given to many pipelines; each brings to life a state of its own.
 */
export interface Policy<Options extends object = object> {
  readonly kind: PolicyKind;
  /** Names it in events, metrics and errors; unique among its kind within a pipeline. */
  readonly name: string;
  readonly options: Readonly<Options>;
  /** @internal */
  readonly stage: (world: StageWorld) => Stage;
}

/** What the caller's function is told about its call. Never pooled: it may be kept. */
export interface Call {
  /** Aborts when the caller, a time-out or the deadline ends the attempt. Made when first read. */
  readonly signal: AbortSignal;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Time left for this attempt, in milliseconds; `Infinity` where nothing limits it. */
  readonly remainingMs: number;

  /**
   * Calls `listener` with the reason when the attempt is aborted, or now if it was already. What
   * `signal` says, at a fraction of its cost: for a function that is called ten thousand times a second.
   */
  onAbort(listener: (reason: unknown) => void): void;
}

/** What a caller may say about one call. What is undefined is not said, so that a `signal` that may be missing can be handed on. */
export interface ExecuteOptions<T = unknown> {
  /** Ends the call, waits included, with its reason. Already aborted: the function is not called. */
  readonly signal?: AbortSignal | undefined;
  /** Total time for this call, retries and waits included, in milliseconds. @default no limit */
  readonly deadlineMs?: number | undefined;
  /** `false`: an attempt that may have been executed is not repeated. @default true */
  readonly idempotent?: boolean | undefined;
  /** Who is served first, and refused last, where not all can be. @default 'critical' */
  readonly criticality?: Criticality | undefined;
  /** Whose state the call uses in a keyed pipeline, and whose rate it counts against: a host, a tenant. @default none */
  readonly key?: string | undefined;
  /** Names the answer: calls of one cache key may share it. Without it a cache lets the call pass. @default none */
  readonly cacheKey?: string | undefined;
  /**
   * Hears, just before the call resolves, that the answer is not the
   * dependency's own: a fallback's, or one from a cache that the dependency could
   * not renew. Not called for any other answer, nor for a failure.
   */
  readonly onDegraded?: ((how: Degraded) => void) | undefined;
  /**
   * Receives each result that nobody will see: one that is tried again, or one
   * that comes after its time-out. Close what it holds (a response's body).
   */
  readonly discard?: ((result: T) => void) | undefined;
}

/** What answered in place of the dependency, and why. */
export interface Degraded {
  /** The policy's name. */
  readonly policy: string;
  /** What the answer is: one from before, a fixed one, another source's, or made up on the spot. */
  readonly kind: DegradedKind;
  /** What the dependency, or a policy in front of it, said. */
  readonly error: unknown;
}

export type DegradedKind = 'cached' | 'default' | 'replica' | 'computed';

/**
 * A function of a result, for options. It may name the results that it is for,
 * `(response: Response) => response.status === 503`: that no others come is for
 * the caller to know, as a pipeline takes functions with every kind of result.
 */
export type OfResult<Answer> = { of(value: unknown): Answer }['of'];

/** The function a pipeline protects. What it throws or returns reaches the caller as it is. */
export type CallFunction<T> = (call: Call) => PromiseLike<T> | T;
