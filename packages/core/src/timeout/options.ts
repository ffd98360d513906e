import {
  checker,
  checkName,
  checkNumber,
  checkOptions,
  checkSync,
  LONGEST_TIMER_MS,
  NO_DEFAULT,
} from '../check.ts';
import type { Criticality } from '../policy.ts';

export interface TimeoutOptions {
  /** Names this policy in events, metrics and errors. @default 'timeout' */
  readonly name?: string;
  /**
   * Longest that what is inside may take. It never ends early, and up to 8 ms
   * late: time is counted in ticks shared by all calls. No default: only the
   * caller knows. ms (1 … 2^31 − 1)
   */
  readonly limitMs: number;
  /**
   * Says how long this attempt may take, in milliseconds, where that is less than
   * `limitMs`; undefined leaves it at that. 0 or less: timed out at once, and
   * nothing is called. What is not a number is a `RangeError` of the call.
   *
   * @default `limitMs` for all
   */
  readonly limitFor?: LimitFor | undefined;
}

/** What a limit for one attempt may go by. */
export interface LimitedCall {
  /** 1 for the first. */
  readonly attempt: number;
  /** Time that the limits outside leave, in milliseconds; `Infinity` where there is none. */
  readonly remainingMs: number;
  readonly criticality: Criticality;
  readonly key: string | undefined;
}

export type LimitFor = (call: LimitedCall) => number | undefined;

export interface DeadlineOptions {
  /** Names this policy in events, metrics and errors. @default 'deadline' */
  readonly name?: string;
  /** Longest that a call may take, retries and waits included. ms (1 … 2^31 − 1) */
  readonly limitMs: number;
}

export const TIMEOUT_DEFAULTS = { name: 'timeout' } as const;
export const DEADLINE_DEFAULTS = { name: 'deadline' } as const;

export type ResolvedTimeLimitOptions = Required<DeadlineOptions>;
export type ResolvedTimeoutOptions = ResolvedTimeLimitOptions & Pick<TimeoutOptions, 'limitFor'>;

/** As for a deadline, and checks who is asked about each attempt. */
export function resolveTimeoutOptions(given: TimeoutOptions): ResolvedTimeoutOptions {
  const options = resolveTimeLimitOptions(given, TIMEOUT_DEFAULTS, { limitFor: undefined });
  checkSync('timeout.limitFor', given.limitFor);
  return options;
}

/** Fills in the name and rejects nonsense now, while the stack still points at its author. */
export function resolveTimeLimitOptions(
  given: DeadlineOptions,
  defaults: { readonly name: string },
  more: object = {},
): ResolvedTimeLimitOptions {
  const options = checkOptions(defaults.name, given, { ...defaults, ...more, limitMs: NO_DEFAULT });
  const check = checker(defaults.name, options);
  check(checkName, 'name');
  check(checkNumber, 'limitMs', 1, LONGEST_TIMER_MS);
  return options;
}
