import { checker, checkName, checkNumber, LONGEST_TIMER_MS } from '../check.ts';

export interface TimeoutOptions {
  /** Names this policy in events, metrics and errors. @default 'timeout' */
  readonly name?: string;
  /**
   * Longest that what is inside may take. It never ends early, and up to 8 ms
   * late: time is counted in ticks shared by all calls. No default: only the
   * caller knows. ms (1 … 2^31 − 1)
   */
  readonly limitMs: number;
}

export interface DeadlineOptions {
  /** Names this policy in events, metrics and errors. @default 'deadline' */
  readonly name?: string;
  /** Longest that a call may take, retries and waits included. ms (1 … 2^31 − 1) */
  readonly limitMs: number;
}

export const TIMEOUT_DEFAULTS = { name: 'timeout' } as const;
export const DEADLINE_DEFAULTS = { name: 'deadline' } as const;

export type ResolvedTimeLimitOptions = Required<TimeoutOptions>;

/** Fills in the name and rejects nonsense now, while the stack still points at its author. */
export function resolveTimeLimitOptions(
  given: TimeoutOptions,
  defaults: { readonly name: string },
): ResolvedTimeLimitOptions {
  const options = { ...defaults, ...given };
  const check = checker(defaults.name, options);
  check(checkName, 'name');
  check(checkNumber, 'limitMs', 1, LONGEST_TIMER_MS);
  return options;
}
