import { type Clock, systemClock } from '@holdfast/core';
import { checkInteger } from '../check.ts';

export interface SqliteStoreOptions {
  /** The database file; made when missing. Its directory must exist and be on a local disk. */
  readonly path: string;
  /** @default systemClock */
  readonly clock?: Clock;
  /** How many delivered ids are remembered for idempotency. @default 100_000 (0 … 10_000_000) */
  readonly rememberDelivered?: number;
  /**
   * How long one transaction may wait for another process's. The event loop waits with it.
   *
   * @default 500 ms (0 … 10_000)
   */
  readonly busyTimeoutMs?: number;
}

export const SQLITE_STORE_DEFAULTS = {
  clock: systemClock,
  rememberDelivered: 100_000,
  busyTimeoutMs: 500,
} as const;

export function resolveSqliteStoreOptions(given: SqliteStoreOptions): Required<SqliteStoreOptions> {
  const options = { ...SQLITE_STORE_DEFAULTS, ...given };
  if (options.path === '') throw new TypeError('sqliteStore.path must name a file, not be empty.');
  checkInteger('sqliteStore.rememberDelivered', options.rememberDelivered, 0, 10_000_000);
  checkInteger('sqliteStore.busyTimeoutMs', options.busyTimeoutMs, 0, 10_000);
  return options;
}
