import { checkInteger, checkNumber, checkOptions, LONGEST_TIMER_MS } from '../check.ts';

/** A part of the last calls; those of some time, or so many. */
export type CallRatio = {
  /** Part of the calls. (0 exclusive … 1) */
  readonly ratio: number;
  /** Fewer calls than this in the window say nothing. (1 … 1_000_000, no more than `windowCalls`) */
  readonly minimumCalls: number;
} & (
  | {
      /** How far it looks back, in steps of a tenth. ms (10 … 2^31 − 1) */
      readonly windowMs: number;
      readonly windowCalls?: undefined;
    }
  | {
      /** So many calls it looks back; each takes a byte of memory. (1 … 100_000) */
      readonly windowCalls: number;
      readonly windowMs?: undefined;
    }
);

/** Throws a `RangeError` that names what is wrong with the option `name` of a circuit breaker. */
export function checkCallRatio(name: string, rule: CallRatio, more: object = {}): void {
  const option = `circuitBreaker.${name}`;
  checkOptions(option, rule as CallRatio, {
    ratio: 0,
    minimumCalls: 0,
    windowMs: 0,
    windowCalls: 0,
    ...more,
  });
  const { ratio, minimumCalls, windowMs, windowCalls } = rule;
  checkNumber(`${option}.ratio`, ratio, Number.MIN_VALUE, 1);
  if (windowCalls === undefined) {
    checkNumber(`${option}.windowMs`, windowMs, 10, LONGEST_TIMER_MS);
    checkInteger(`${option}.minimumCalls`, minimumCalls, 1, 1_000_000);
  } else {
    checkInteger(`${option}.windowCalls`, windowCalls, 1, 100_000);
    checkInteger(`${option}.minimumCalls`, minimumCalls, 1, windowCalls);
    if (windowMs !== undefined) {
      throw new RangeError(
        `${option} must have either windowMs or windowCalls, not both: give it one window.`,
      );
    }
  }
}

/** "50 % of at least 20 calls in 30000 ms", with what they did after the percentage. */
export function inWords({ ratio, minimumCalls, windowMs, windowCalls }: CallRatio, what: string) {
  const window = windowCalls === undefined ? `in ${windowMs} ms` : `of the last ${windowCalls}`;
  return `${ratio * 100} % ${what} of at least ${minimumCalls} calls ${window}`;
}

/** "7 of 10 calls within 1000 ms", the window as it is looked at. */
export function counted(bad: number, calls: number, { windowMs }: CallRatio): string {
  return windowMs === undefined
    ? `${bad} of the last ${calls} calls`
    : `${bad} of ${calls} calls within ${windowMs} ms`;
}
