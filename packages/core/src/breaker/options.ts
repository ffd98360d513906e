import {
  checker,
  checkFunction,
  checkInteger,
  checkName,
  checkNumber,
  LONGEST_TIMER_MS,
} from '../check.ts';
import { isRefusal } from '../engine/outcome.ts';
import type { CircuitCounts } from './snapshot.ts';

export interface CircuitBreakerOptions {
  /** Names this policy in events, metrics and errors. @default 'circuit' */
  readonly name?: string;

  /** Opens after this many failures in a row; `false` leaves that to the other rules. @default 5, or `false` beside `trip` (1 … 1_000_000) */
  readonly consecutiveFailures?: number | false;

  /** Opens when this part of the last `windowMs`'s calls failed, once there were enough of them. @default no such rule */
  readonly failureRatio?: FailureRatio;

  /**
   * Asked after each failure while closed, with the counts of this generation:
   * whether to open. One that throws says no.
   *
   * @default no such rule
   */
  readonly trip?: (counts: CircuitCounts) => boolean;

  /** Begins a new generation, with new counts, so often while closed. 0: never. @default 0 ms */
  readonly clearIntervalMs?: number;

  /** How long it stays open before it lets a probe through. @default 10_000 ms */
  readonly openMs?: number;

  /** Most probes at a time while half-open. @default 1 (1 … 10_000) */
  readonly halfOpenPermits?: number;

  /** Successes in a row that close it. @default `halfOpenPermits` */
  readonly successThreshold?: number;

  /** How long it waits for probes that do not answer before it opens again. @default 60_000 ms */
  readonly halfOpenMaxMs?: number;

  /**
   * Whether an error speaks against the dependency. One that does not is
   * neither a success nor a failure.
   *
   * @default every error but the refusals of policies inside
   */
  readonly failureIf?: (error: unknown) => boolean;

  /** Whether a result speaks against the dependency. @default none does */
  readonly failureIfResult?: (value: unknown) => boolean;
}

export interface FailureRatio {
  /** Part of the calls that failed. (0 exclusive … 1) */
  readonly ratio: number;
  /** Fewer calls than this in the window say nothing. (1 … 1_000_000) */
  readonly minimumCalls: number;
  /** How far it looks back, in steps of a tenth. ms (10 … 2^31 − 1) */
  readonly windowMs: number;
}

export interface ResolvedCircuitBreakerOptions
  extends Required<Omit<CircuitBreakerOptions, 'failureRatio' | 'trip'>> {
  readonly failureRatio: FailureRatio | undefined;
  readonly trip: ((counts: CircuitCounts) => boolean) | undefined;
}

export const CIRCUIT_BREAKER_DEFAULTS = {
  name: 'circuit',
  consecutiveFailures: 5,
  failureRatio: undefined,
  trip: undefined,
  clearIntervalMs: 0,
  openMs: 10_000,
  halfOpenPermits: 1,
  halfOpenMaxMs: 60_000,
  failureIf: (error: unknown) => !isRefusal(error),
  failureIfResult: (_value: unknown): boolean => false,
} as const;

/** Fills in defaults and rejects nonsense now, while the stack still points at its author. */
export function resolveCircuitBreakerOptions(
  given: CircuitBreakerOptions,
): ResolvedCircuitBreakerOptions {
  const options = {
    ...CIRCUIT_BREAKER_DEFAULTS,
    ...(given.trip === undefined ? undefined : { consecutiveFailures: false as const }),
    successThreshold: given.halfOpenPermits ?? CIRCUIT_BREAKER_DEFAULTS.halfOpenPermits,
    ...given,
  };
  const check = checker('circuitBreaker', options);
  check(checkName, 'name');
  if (options.consecutiveFailures !== false) {
    check(checkInteger, 'consecutiveFailures', 1, 1_000_000);
  }
  if (options.failureRatio !== undefined) checkFailureRatio(options.failureRatio);
  check(checkFunction, 'trip');
  check(checkNumber, 'clearIntervalMs', 0, Number.MAX_SAFE_INTEGER);
  check(checkNumber, 'openMs', 1, LONGEST_TIMER_MS);
  check(checkInteger, 'halfOpenPermits', 1, 10_000);
  check(checkInteger, 'successThreshold', 1, 10_000);
  check(checkNumber, 'halfOpenMaxMs', 1, LONGEST_TIMER_MS);
  check(checkFunction, 'failureIf');
  check(checkFunction, 'failureIfResult');
  if (cannotTrip(options)) {
    throw new RangeError(
      'circuitBreaker.consecutiveFailures must be a number where neither failureRatio nor trip is given, not false: this circuit could never open.',
    );
  }
  return options;
}

function checkFailureRatio({ ratio, minimumCalls, windowMs }: FailureRatio): void {
  checkNumber('circuitBreaker.failureRatio.ratio', ratio, Number.MIN_VALUE, 1);
  checkInteger('circuitBreaker.failureRatio.minimumCalls', minimumCalls, 1, 1_000_000);
  checkNumber('circuitBreaker.failureRatio.windowMs', windowMs, 10, LONGEST_TIMER_MS);
}

const cannotTrip = (options: ResolvedCircuitBreakerOptions) =>
  options.consecutiveFailures === false &&
  options.failureRatio === undefined &&
  options.trip === undefined;
