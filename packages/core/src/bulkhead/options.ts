import { checker, checkInteger, checkName, checkNumber, LONGEST_TIMER_MS } from '../check.ts';

export interface BulkheadOptions {
  /** Names this policy in events, metrics and errors. @default 'bulkhead' */
  readonly name?: string;

  /** Calls that may run at the same time. (1 … 1_000_000) */
  readonly limit: number;

  /**
   * Calls that may wait for a place, first come first served; 0 refuses at once.
   * A queue evens out bursts; against lasting overload it only adds waiting.
   *
   * @default 0 (0 … 1_000_000)
   */
  readonly queueLimit?: number;

  /** Longest that a call waits for a place; `Infinity` leaves it to the deadline. @default 5_000 ms (1 … 2^31 − 1) */
  readonly queueTimeoutMs?: number;
}

export type ResolvedBulkheadOptions = Required<BulkheadOptions>;

export const BULKHEAD_DEFAULTS = {
  name: 'bulkhead',
  queueLimit: 0,
  queueTimeoutMs: 5_000,
} as const;

/** Fills in defaults and rejects nonsense now, while the stack still points at its author. */
export function resolveBulkheadOptions(given: BulkheadOptions): ResolvedBulkheadOptions {
  const options = { ...BULKHEAD_DEFAULTS, ...given };
  const check = checker('bulkhead', options);
  check(checkName, 'name');
  check(checkInteger, 'limit', 1, 1_000_000);
  check(checkInteger, 'queueLimit', 0, 1_000_000);
  if (options.queueTimeoutMs !== Infinity) {
    check(checkNumber, 'queueTimeoutMs', 1, LONGEST_TIMER_MS);
  }
  return options;
}
