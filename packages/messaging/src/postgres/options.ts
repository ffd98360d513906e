import { type Clock, systemClock } from '@holdfast/core';
import { checkInteger } from '../check.ts';
import type { MessageTracer } from '../trace/message-tracer.ts';
import type { PostgresPool } from './module.ts';

export interface PostgresStoreOptions {
  /** A `Pool` of `pg` 8. It stays yours: the store never ends it. */
  readonly pool: PostgresPool;
  /**
   * The database schema that holds the tables; made when missing. One for each outbox.
   *
   * @default 'holdfast' (lower-case letters, digits, `_`; up to 40)
   */
  readonly schema?: string;
  /** How many delivered ids are remembered for idempotency. @default 100_000 (0 … 10_000_000) */
  readonly rememberDelivered?: number;
  /** Longest wait for a connection and for an answer; then the connection is given up. @default 10_000 ms (100 … 600_000) */
  readonly timeoutMs?: number;
  /**
   * Relays of other processes hear of new messages at once (`NOTIFY`). It keeps one connection of the
   * pool, and PostgreSQL lets commits with a `NOTIFY` in them through one by one: with many thousand
   * commits a second, let the relays poll.
   *
   * @default true; false where the pool has a single connection
   */
  readonly listen?: boolean;
  /**
   * Records a span for each message that `acceptIn` takes; what `openOutbox` accepts is its own tracer's.
   *
   * @default nobody: headers stay as they are
   */
  readonly tracer?: MessageTracer;
  /** For time-outs and pauses; moments are the database's own. @default systemClock */
  readonly clock?: Clock;
}

export const POSTGRES_STORE_DEFAULTS = {
  schema: 'holdfast',
  rememberDelivered: 100_000,
  timeoutMs: 10_000,
  clock: systemClock,
} as const;

export type ResolvedPostgresStoreOptions = Required<Omit<PostgresStoreOptions, 'tracer'>> &
  Pick<PostgresStoreOptions, 'tracer'>;

export function resolvePostgresStoreOptions(
  given: PostgresStoreOptions,
): ResolvedPostgresStoreOptions {
  const most = given.pool.options?.max ?? Number.POSITIVE_INFINITY;
  const options = { ...POSTGRES_STORE_DEFAULTS, listen: most > 1, ...given };
  checkSchemaName('postgresStore.schema', options.schema);
  checkInteger('postgresStore.rememberDelivered', options.rememberDelivered, 0, 10_000_000);
  checkInteger('postgresStore.timeoutMs', options.timeoutMs, 100, 600_000);
  if (options.listen && most < 2) {
    throw new RangeError(
      'postgresStore.listen keeps a connection of its own, and the pool has one only: give the pool `max: 2` or more, or `listen: false`.',
    );
  }
  return options;
}

/** It becomes part of statements, where no parameter can stand. */
export function checkSchemaName(option: string, name: string): void {
  if (/^[a-z_][a-z0-9_]{0,39}$/.test(name)) return;
  throw new TypeError(
    `${option} must be up to 40 lower-case letters, digits and "_", not beginning with a digit, not "${name}".`,
  );
}
