import {
  checkBoolean,
  checker,
  checkInteger,
  checkName,
  checkNumber,
  checkOptions,
  checkSync,
  LONGEST_TIMER_MS,
} from '../check.ts';
import { isRefusal } from '../engine/outcome.ts';
import type { OfResult } from '../policy.ts';
import { type CallRatio, checkCallRatio } from './call-ratio.ts';
import {
  type ResolvedSharedCircuitOptions,
  resolveSharedCircuitOptions,
  type SharedCircuitOptions,
} from './shared/options.ts';
import { checkSnapshot } from './snapshot/check-snapshot.ts';
import type { CircuitCounts, CircuitSnapshot } from './snapshot/snapshot.ts';

export interface CircuitBreakerOptions {
  /** Names this policy in events, metrics and errors. @default 'circuit' */
  readonly name?: string;

  /** Opens after this many failures in a row; `false` leaves that to the other rules. @default 5, or `false` beside `trip` (1 … 1_000_000) */
  readonly consecutiveFailures?: number | false;

  /**
   * Opens when this part of the last calls failed, once there were enough of them. Looked at after each
   * failure: a success that makes them enough opens nothing.
   *
   * @default no such rule
   */
  readonly failureRatio?: FailureRatio;

  /**
   * Opens when this part of the last calls, failed ones included, took `slowCallMs` or longer; looked at after each that
   * did. A slow call goes on and its caller gets the result; a slow probe counts as a failed one.
   *
   * @default no such rule
   */
  readonly slowCalls?: SlowCalls;

  /**
   * Asked after each failure while closed, with the counts of this generation:
   * whether to open. One that throws says no.
   *
   * @default no such rule
   */
  readonly trip?: (counts: CircuitCounts) => boolean;

  /** Begins a new generation, with new counts, so often while closed. 0: never. @default 0 ms (0 … 2^53 − 1) */
  readonly clearIntervalMs?: number;

  /** How long it stays open before it lets a probe through. @default 10_000 ms (1 … 2^31 − 1) */
  readonly openMs?: number;

  /** Each opening lasts so many times longer than the one before. @default 1: it does not grow (1 … 100) */
  readonly openFactor?: number;

  /** Neither growth nor a hint makes it longer than this; jitter may. @default 300_000 ms (`openMs` … 2^31 − 1) */
  readonly openMaxMs?: number;

  /**
   * Spreads the open time by ± this part of it, so that processes that opened
   * together do not probe together.
   *
   * @default 0 (0 … 1)
   */
  readonly openJitter?: number;

  /** Closed for so long without opening, it forgets how often it has opened: the open time is `openMs` again. @default 60_000 ms (0 …) */
  readonly openResetMs?: number;

  /**
   * What the failure that opens it says about when to come back (`Retry-After`),
   * in milliseconds; lengthens the open time, and never shortens it.
   *
   * @default no hint
   */
  readonly openHint?: (outcome: { error?: unknown; value?: unknown }) => number | undefined;

  /** Most probes at a time while half-open. @default 1 (1 … 10_000) */
  readonly halfOpenPermits?: number;

  /** Successes in a row that close it. @default `halfOpenPermits` (1 … 10_000) */
  readonly successThreshold?: number;

  /** How long it waits for probes that do not answer before it opens again. @default 60_000 ms (1 … 2^31 − 1) */
  readonly halfOpenMaxMs?: number;

  /**
   * Whether an error speaks against the dependency. One that does not (a 404 that is thrown) is an answer
   * and counts as a success; but refusals and time-outs of policies inside count as nothing then.
   *
   * @default every error but the refusals of policies inside
   */
  readonly failureIf?: (error: unknown) => boolean;

  /**
   * Whether an error says nothing of the dependency, neither well nor ill: its call is as if it had never
   * been admitted, and a probe's permit comes back. Asked before `failureIf`.
   *
   * @default none does
   */
  readonly ignoreIf?: (error: unknown) => boolean;

  /** Whether a result speaks against the dependency. @default none does */
  readonly failureIfResult?: OfResult<boolean>;

  /**
   * Refuses nothing: it counts and reports (`circuit-observed`, `would-refuse`)
   * what it would do. For trying numbers out on live traffic.
   *
   * @default false
   */
  readonly observe?: boolean;

  /**
   * Begins where an earlier life ended: what `inspect()` said of this circuit,
   * as it is or from JSON. Ratio windows begin empty.
   *
   * @default closed
   */
  readonly initial?: CircuitSnapshot;

  /** Agrees with the circuits of other processes by quorum. @default it decides alone */
  readonly shared?: SharedCircuitOptions;
}

/** `CallRatio` of the calls that failed. */
export type FailureRatio = CallRatio;

/** `CallRatio` of the calls that took `slowCallMs` or longer. */
export type SlowCalls = CallRatio & {
  /** ms (1 … 2^31 − 1) */
  readonly slowCallMs: number;
};

type Optional = 'failureRatio' | 'slowCalls' | 'trip' | 'openHint' | 'initial' | 'shared';

export interface ResolvedCircuitBreakerOptions
  extends Required<Omit<CircuitBreakerOptions, Optional>> {
  readonly failureRatio: FailureRatio | undefined;
  readonly slowCalls: SlowCalls | undefined;
  readonly trip: ((counts: CircuitCounts) => boolean) | undefined;
  readonly openHint: NonNullable<CircuitBreakerOptions['openHint']> | undefined;
  readonly initial: CircuitSnapshot | undefined;
  readonly shared: ResolvedSharedCircuitOptions | undefined;
}

export const CIRCUIT_BREAKER_DEFAULTS = {
  name: 'circuit',
  consecutiveFailures: 5,
  failureRatio: undefined,
  slowCalls: undefined,
  trip: undefined,
  clearIntervalMs: 0,
  openMs: 10_000,
  openFactor: 1,
  openMaxMs: 300_000,
  openJitter: 0,
  openResetMs: 60_000,
  openHint: undefined,
  halfOpenPermits: 1,
  halfOpenMaxMs: 60_000,
  failureIf: (error: unknown) => !isRefusal(error),
  ignoreIf: (_error: unknown): boolean => false,
  failureIfResult: (_value: unknown): boolean => false,
  observe: false,
  initial: undefined,
  shared: undefined,
} as const;

/** Fills in defaults and rejects nonsense now, while the stack still points at its author. */
export function resolveCircuitBreakerOptions(
  given: CircuitBreakerOptions,
): ResolvedCircuitBreakerOptions {
  const { consecutiveFailures, openMaxMs, halfOpenPermits } = CIRCUIT_BREAKER_DEFAULTS;
  const told = checkOptions('circuitBreaker', given, {
    ...CIRCUIT_BREAKER_DEFAULTS,
    consecutiveFailures: given?.trip === undefined && consecutiveFailures,
    openMaxMs: Math.max(Number(given?.openMs ?? 0), openMaxMs),
    successThreshold: given?.halfOpenPermits ?? halfOpenPermits,
  });
  const { shared } = told;
  const options = {
    ...told,
    shared: shared === undefined ? undefined : resolveSharedCircuitOptions(shared),
  };
  const check = checker('circuitBreaker', options);
  check(checkName, 'name');
  if (options.consecutiveFailures !== false) {
    check(checkInteger, 'consecutiveFailures', 1, 1_000_000);
  }
  if (options.failureRatio !== undefined) checkCallRatio('failureRatio', options.failureRatio);
  if (options.slowCalls !== undefined) {
    checkCallRatio('slowCalls', options.slowCalls, { slowCallMs: 0 });
    const { slowCallMs } = options.slowCalls;
    checkNumber('circuitBreaker.slowCalls.slowCallMs', slowCallMs, 1, LONGEST_TIMER_MS);
  }
  check(checkSync, 'trip');
  check(checkNumber, 'clearIntervalMs', 0, Number.MAX_SAFE_INTEGER);
  check(checkNumber, 'openMs', 1, LONGEST_TIMER_MS);
  check(checkNumber, 'openFactor', 1, 100);
  check(checkNumber, 'openMaxMs', options.openMs, LONGEST_TIMER_MS);
  check(checkNumber, 'openJitter', 0, 1);
  check(checkNumber, 'openResetMs', 0, Infinity);
  check(checkSync, 'openHint');
  check(checkInteger, 'halfOpenPermits', 1, 10_000);
  check(checkInteger, 'successThreshold', 1, 10_000);
  check(checkNumber, 'halfOpenMaxMs', 1, LONGEST_TIMER_MS);
  check(checkSync, 'failureIf');
  check(checkSync, 'ignoreIf');
  check(checkSync, 'failureIfResult');
  check(checkBoolean, 'observe');
  if (options.initial !== undefined) checkSnapshot(options.initial);
  if (cannotTrip(options)) {
    throw new RangeError(
      'circuitBreaker.consecutiveFailures must be a number where no other rule is given, not false: this circuit could never open.',
    );
  }
  return options;
}

const cannotTrip = (options: ResolvedCircuitBreakerOptions) =>
  options.consecutiveFailures === false &&
  options.failureRatio === undefined &&
  options.slowCalls === undefined &&
  options.trip === undefined;
