import {
  checker,
  checkInteger,
  checkName,
  checkNumber,
  checkOneOf,
  checkOptions,
  LONGEST_TIMER_MS,
  NO_DEFAULT,
} from '../check.ts';
import { QUEUE_ORDERS, type QueueOrder } from './gate.ts';

export interface BulkheadOptions {
  /** Names this policy in events, metrics and errors. @default 'bulkhead' */
  readonly name?: string;

  /** Calls that may run at the same time. (1 … 1_000_000) */
  readonly limit: number;

  /**
   * Calls that may wait for a place; 0 refuses at once.
   * A queue evens out bursts; against lasting overload it only adds waiting.
   *
   * @default 0 (0 … 1_000_000)
   */
  readonly queueLimit?: number;

  /**
   * Who is let in next: `fifo`, who came first; `lifo`, who came last, so that
   * under overload some are served in time and not all too late; `criticality`,
   * who matters most. There a full queue makes room for a more critical call by
   * refusing the last that came of the least critical ones.
   *
   * @default 'fifo'
   */
  readonly order?: QueueOrder;

  /** Longest that a call waits for a place; `Infinity` leaves it to the deadline. @default 5_000 ms (1 … 2^31 − 1) */
  readonly queueTimeoutMs?: number;
}

export type ResolvedBulkheadOptions = Required<BulkheadOptions>;

export const BULKHEAD_DEFAULTS = {
  name: 'bulkhead',
  queueLimit: 0,
  order: 'fifo',
  queueTimeoutMs: 5_000,
} as const;

/** Fills in defaults and rejects nonsense now, while the stack still points at its author. */
export function resolveBulkheadOptions(given: BulkheadOptions): ResolvedBulkheadOptions {
  const options = checkOptions('bulkhead', given, { ...BULKHEAD_DEFAULTS, limit: NO_DEFAULT });
  const check = checker('bulkhead', options);
  check(checkName, 'name');
  check(checkInteger, 'limit', 1, 1_000_000);
  check(checkInteger, 'queueLimit', 0, 1_000_000);
  check(checkOneOf, 'order', QUEUE_ORDERS);
  if (options.queueTimeoutMs !== Infinity) {
    check(checkNumber, 'queueTimeoutMs', 1, LONGEST_TIMER_MS);
  }
  return options;
}
