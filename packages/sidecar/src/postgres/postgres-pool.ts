import type { Pool, PoolClient, PoolConfig } from 'pg';
import type { ComponentSettings } from '../components/component-settings.ts';
import type { ComponentsEnv } from '../components/open-components.ts';
import { warnUnheeded } from '../components/warn-unheeded.ts';
import { postgresConnection } from './postgres-connection.ts';
import { type PostgresFailure, postgresWords } from './postgres-words.ts';

export interface Rows {
  readonly rows: readonly Record<string, unknown>[];
  /** How many the statement touched. */
  readonly count: number;
}

export type Query = (sql: string, values?: readonly unknown[]) => Promise<Rows>;

/** Connections to one database: a bounded number, made when they are needed and again when they were lost. */
export interface PostgresPool {
  readonly query: Query;
  /** Of a connection, for one beside the pool. */
  readonly config: PoolConfig;
  /** All of `work` on one connection. */
  withOne<T>(work: (query: Query) => Promise<T>): Promise<T>;
  /** All of `work` or nothing of it. */
  inTransaction<T>(work: (query: Query) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** @throws Error in Dapr's words where the database cannot be reached. */
export async function openPostgres(
  settings: ComponentSettings,
  { log }: Pick<ComponentsEnv, 'log'>,
): Promise<PostgresPool> {
  const { pool: config, tlsOptional, unheeded } = await postgresConnection(settings);
  warnUnheeded(log, settings.component, unheeded);
  // Loaded when it is asked for: others need not pay for the driver.
  const { default: pg } = await import('pg');
  const open = (options: PoolConfig) => poolOver(new pg.Pool(options), options);
  const pool = open(config);
  try {
    await pool.query('SELECT 1');
    return pool;
  } catch (error) {
    await pool.close();
    if (!tlsOptional || !/does not support SSL/.test((error as Error).message)) {
      throw new Error(`failed to ping the database: ${(error as Error).message}`);
    }
  }
  const plain = open({ ...config, ssl: false });
  try {
    await plain.query('SELECT 1');
    return plain;
  } catch (error) {
    await plain.close();
    throw new Error(`failed to ping the database: ${(error as Error).message}`);
  }
}

function poolOver(pool: Pool, config: PoolConfig): PostgresPool {
  // Said of idle connections when the server goes: the pool makes others when they are needed.
  pool.on('error', () => {});

  const withOne = async <T>(work: (query: Query) => Promise<T>): Promise<T> => {
    let client: PoolClient;
    try {
      client = await pool.connect();
    } catch (error) {
      throw postgresWords(error, config);
    }
    // A connection that breaks while it is ours says so on both ways; the statement's error is the one to tell.
    const ignore = () => {};
    client.on('error', ignore);
    let broken = false;
    const query: Query = async (sql, values) => {
      try {
        const { rows, rowCount } = await client.query(sql, values as unknown[]);
        return { rows, count: rowCount ?? 0 };
      } catch (error) {
        // What the server refused leaves the connection well; anything else leaves it in the middle of something.
        const { severity } = error as PostgresFailure;
        if (severity === undefined || severity !== 'ERROR') broken = true;
        throw postgresWords(error, config);
      }
    };
    try {
      return await work(query);
    } finally {
      client.off('error', ignore);
      client.release(broken);
    }
  };

  return {
    config,
    query: (sql, values) => withOne((query) => query(sql, values)),
    withOne,
    inTransaction: (work) =>
      withOne(async (query) => {
        await query('BEGIN');
        try {
          const result = await work(query);
          await query('COMMIT');
          return result;
        } catch (error) {
          // Where this fails as well, the connection is thrown away, and the transaction with it.
          await query('ROLLBACK').catch(() => {});
          throw error;
        }
      }),
    close: () => pool.end(),
  };
}
