import type { ComponentSettings } from '../components/component-settings.ts';
import type { ComponentsEnv } from '../components/open-components.ts';
import { warnUnheeded } from '../components/warn-unheeded.ts';
import { postgresConnection } from './postgres-connection.ts';
import type { PostgresServer, Target } from './postgres-servers.ts';
import { ServerPools } from './server-pools.ts';

export interface Rows {
  readonly rows: readonly Record<string, unknown>[];
  /** How many the statement touched. */
  readonly count: number;
}

export type Query = (sql: string, values?: readonly unknown[]) => Promise<Rows>;

/** What somebody else's statement answers: values as the server writes them. */
export interface WrittenRows {
  /** The type of each column, as PostgreSQL numbers them. */
  readonly types: readonly number[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly count: number;
}

/**
 * Connections to one database: a bounded number, made when they are needed and again when they were lost.
 * The moment a `signal` aborts, its call rejects with the signal's reason; the statement is ended at the
 * server, as far as it still can be, and the transaction with it.
 */
export interface PostgresPool {
  query(sql: string, values?: readonly unknown[], signal?: AbortSignal): Promise<Rows>;
  /**
   * A statement that somebody else wrote. Undefined `values`: it may be several, and the last one's answer
   * counts. A transaction that it leaves open ends with it.
   */
  written(
    sql: string,
    values: readonly unknown[] | undefined,
    signal?: AbortSignal,
  ): Promise<WrittenRows>;
  /** For a connection beside the pool. */
  readonly servers: readonly PostgresServer[];
  readonly target: Target;
  /** All of `work` on one connection. */
  withOne<T>(work: (query: Query) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** All of `work` or nothing of it. */
  inTransaction<T>(work: (query: Query) => Promise<T>, signal?: AbortSignal): Promise<T>;
  close(): Promise<void>;
}

/** @throws Error in Dapr's words where the database cannot be reached. */
export async function openPostgres(
  settings: ComponentSettings,
  { log }: Pick<ComponentsEnv, 'log'>,
): Promise<PostgresPool> {
  const { places, pool, target, tlsOptional, unheeded } = await postgresConnection(settings);
  warnUnheeded(log, settings.component, unheeded);
  // Loaded when it is asked for: others need not pay for the driver.
  const { default: pg } = await import('pg');
  const servers = places.flatMap((place): PostgresServer[] => {
    const secure = { ...pool, ...place };
    return tlsOptional ? [secure, { ...secure, ssl: false }] : [secure];
  });
  const pools = servers.map((server) => ({ server, pool: new pg.Pool(server) }));
  const all = new ServerPools(pools, target, pg.Client);
  try {
    await all.query('SELECT 1');
    return all;
  } catch (error) {
    await all.close();
    throw new Error(`failed to ping the database: ${(error as Error).message}`);
  }
}
