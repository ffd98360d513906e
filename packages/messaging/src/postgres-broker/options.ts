import { type Clock, systemClock } from '@holdfast/core';
import { checkInteger } from '../check.ts';
import { LONGEST_HOLD_MS } from '../hold.ts';
import type { PostgresPool } from '../postgres/module.ts';
import { checkSchemaName } from '../postgres/options.ts';

export interface PostgresBrokerOptions {
  /** A `Pool` of `pg` 8. It stays yours: the broker never ends it. */
  readonly pool: PostgresPool;
  /**
   * The database schema that holds its tables; made when missing. Publishers and subscribers of one
   * schema meet. It may be the outbox's.
   *
   * @default 'holdfast' (lower-case letters, digits, `_`; up to 40)
   */
  readonly schema?: string;
  /** Says in the table of claims who has what. @default 'holdfast' (1 … 100 characters) */
  readonly clientId?: string;
  /** Longest wait for a connection and for an answer; then the connection is given up. @default 10_000 ms (100 … 600_000) */
  readonly timeoutMs?: number;
  /** Wait before a subscription that lost the database asks again: the first, doubling up to ten times this. @default 500 ms (10 … 60_000) */
  readonly reconnectMs?: number;
  /**
   * What a member that died had in hand waits this long. One that lives renews it at a third of that,
   * however long its handler works; one that was stopped for longer has lost it. @default 5_000 ms (200 … 600_000)
   */
  readonly claimMs?: number;
  /**
   * Messages a member has in hand; more are fewer round trips, and a less even share. At least twice
   * the `concurrency`. @default 20 (1 … 10_000)
   */
  readonly prefetch?: number;
  /** How often a member looks that has heard nothing. @default 1_000 ms (10 … 600_000) */
  readonly pollMs?: number;
  /**
   * Members hear of messages at once (`NOTIFY`). It keeps one connection of the pool while there are
   * subscriptions, and PostgreSQL lets commits with a `NOTIFY` in them through one by one: with many
   * thousand commits a second, let the members poll, and say so to the publishers.
   *
   * @default true; false where the pool has a single connection
   */
  readonly listen?: boolean;
  /** With `true` a message for a topic without a group is postponed, else dropped. @default true */
  readonly requireSubscriber?: boolean;
  /**
   * As many wait for a group at most; then messages of its topic are postponed, for all groups.
   * What several processes publish in the same seconds may exceed it. @default 1_000_000 (1 … 1_000_000_000)
   */
  readonly maxMessages?: number;
  /** A message with a larger body is refused for good. @default 1_048_576 bytes (1 … 104_857_600) */
  readonly maxBodyBytes?: number;
  /**
   * A message of the same topic and id is dropped when it is published again within this time. 0
   * remembers nothing, and spares a row for each message. @default 120_000 ms (0 … 86_400_000)
   */
  readonly duplicateWindowMs?: number;
  /** For time-outs and pauses; moments are the database's own. @default systemClock */
  readonly clock?: Clock;
}

export const POSTGRES_BROKER_DEFAULTS = {
  schema: 'holdfast',
  clientId: 'holdfast',
  timeoutMs: 10_000,
  reconnectMs: 500,
  claimMs: 5_000,
  prefetch: 20,
  pollMs: 1_000,
  requireSubscriber: true,
  maxMessages: 1_000_000,
  maxBodyBytes: 1_048_576,
  duplicateWindowMs: 120_000,
  clock: systemClock,
} as const;

export type ResolvedPostgresBrokerOptions = Required<PostgresBrokerOptions>;

export function resolvePostgresBrokerOptions(
  given: PostgresBrokerOptions,
): ResolvedPostgresBrokerOptions {
  const connections = given.pool.options?.max ?? Number.POSITIVE_INFINITY;
  const options = { ...POSTGRES_BROKER_DEFAULTS, listen: connections > 1, ...given };
  checkSchemaName('postgresBroker.schema', options.schema);
  if (options.clientId.length < 1 || options.clientId.length > 100) {
    throw new TypeError(
      `postgresBroker.clientId must have 1 to 100 characters, not ${options.clientId.length}.`,
    );
  }
  checkInteger('postgresBroker.timeoutMs', options.timeoutMs, 100, 600_000);
  checkInteger('postgresBroker.reconnectMs', options.reconnectMs, 10, 60_000);
  checkInteger('postgresBroker.claimMs', options.claimMs, 200, LONGEST_HOLD_MS);
  checkInteger('postgresBroker.prefetch', options.prefetch, 1, 10_000);
  checkInteger('postgresBroker.pollMs', options.pollMs, 10, 600_000);
  checkInteger('postgresBroker.maxMessages', options.maxMessages, 1, 1_000_000_000);
  checkInteger('postgresBroker.maxBodyBytes', options.maxBodyBytes, 1, 104_857_600);
  checkInteger('postgresBroker.duplicateWindowMs', options.duplicateWindowMs, 0, 86_400_000);
  if (options.listen && connections < 2) {
    throw new RangeError(
      'postgresBroker.listen keeps a connection of its own, and the pool has one only: give the pool `max: 2` or more, or `listen: false`.',
    );
  }
  return options;
}
