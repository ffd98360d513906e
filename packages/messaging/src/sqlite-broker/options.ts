import { type Clock, systemClock } from '@holdfast/core';
import { checkInteger } from '../check.ts';
import { LONGEST_HOLD_MS } from '../hold.ts';
import type { OutgoingMessage } from '../message.ts';

export interface SqliteBrokerOptions {
  /**
   * The file that all processes of this machine share; made when missing. Its directory must exist
   * and be on a local disk: SQLite's locks do not hold over a network.
   */
  readonly path: string;
  /** For a publication, or a subscription's beginning, while others hold the file's lock. @default 10_000 ms (100 … 600_000) */
  readonly timeoutMs?: number;
  /**
   * Messages that at least one group has not acknowledged. Beyond it publishing is postponed,
   * with the group that lags most named. @default 100_000 (1 … 10_000_000)
   */
  readonly maxMessages?: number;
  /** Of one message: body, key and headers. @default 1_048_576 bytes (1 … 268_435_456) */
  readonly maxMessageBytes?: number;
  /**
   * What a killed member had in hand waits this long, then another gets it. A member that is alive
   * keeps what it has for as long as its handler takes; one whose event loop stands still for
   * longer than this loses it. @default 10_000 ms (1_000 … 600_000)
   */
  readonly leaseMs?: number;
  /** Messages a member takes at once with a concurrency of 1; else twice that. @default 100 (1 … 10_000) */
  readonly prefetch?: number;
  /** A message of a topic without a group is postponed until there is one, instead of dropped. @default true */
  readonly requireSubscriber?: boolean;
  /**
   * A group in which nobody has been for so long is forgotten, with what waits for it. Without it a
   * group that never comes back fills the file. @default never (60_000 ms …)
   */
  readonly forgetGroupsAfterMs?: number;
  /** How long after its publication a message is worth handing over. @default for ever */
  readonly lifetimeMs?: (message: OutgoingMessage) => number | undefined;
  /** @default systemClock */
  readonly clock?: Clock;
}

export const SQLITE_BROKER_DEFAULTS = {
  timeoutMs: 10_000,
  maxMessages: 100_000,
  maxMessageBytes: 1_048_576,
  leaseMs: 10_000,
  prefetch: 100,
  requireSubscriber: true,
  lifetimeMs: (): undefined => undefined,
  clock: systemClock,
} as const;

export type ResolvedSqliteBrokerOptions = Required<
  Omit<SqliteBrokerOptions, 'forgetGroupsAfterMs'>
> &
  Pick<SqliteBrokerOptions, 'forgetGroupsAfterMs'>;

export function resolveSqliteBrokerOptions(
  given: SqliteBrokerOptions,
): ResolvedSqliteBrokerOptions {
  const options = { ...SQLITE_BROKER_DEFAULTS, ...given };
  if (typeof options.path !== 'string' || options.path === '' || options.path === ':memory:') {
    throw new TypeError(
      `sqliteBroker.path must name a file that processes can share, not "${options.path}".`,
    );
  }
  checkInteger('sqliteBroker.timeoutMs', options.timeoutMs, 100, 600_000);
  checkInteger('sqliteBroker.maxMessages', options.maxMessages, 1, 10_000_000);
  checkInteger('sqliteBroker.maxMessageBytes', options.maxMessageBytes, 1, 2 ** 28);
  checkInteger('sqliteBroker.leaseMs', options.leaseMs, 1_000, LONGEST_HOLD_MS);
  checkInteger('sqliteBroker.prefetch', options.prefetch, 1, 10_000);
  const { forgetGroupsAfterMs } = options;
  if (forgetGroupsAfterMs !== undefined) {
    checkInteger('sqliteBroker.forgetGroupsAfterMs', forgetGroupsAfterMs, 60_000, 2 ** 48);
  }
  return options;
}
