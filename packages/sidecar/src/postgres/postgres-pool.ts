import type { Client, Pool, PoolClient, QueryArrayConfig } from 'pg';
import type { ComponentSettings } from '../components/component-settings.ts';
import type { ComponentsEnv } from '../components/open-components.ts';
import { waitedFor } from '../components/waited-for.ts';
import { warnUnheeded } from '../components/warn-unheeded.ts';
import { cancelStatement } from './cancel-statement.ts';
import { postgresConnection } from './postgres-connection.ts';
import {
  checkTarget,
  firstServer,
  NO_TLS,
  type PostgresServer,
  type Target,
} from './postgres-servers.ts';
import { type PostgresFailure, postgresWords } from './postgres-words.ts';

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
  const all = poolOver(
    servers.map((server) => ({ server, pool: new pg.Pool(server) })),
    target,
    pg.Client,
  );
  try {
    await all.query('SELECT 1');
    return all;
  } catch (error) {
    await all.close();
    throw new Error(`failed to ping the database: ${(error as Error).message}`);
  }
}

interface ServerPool {
  readonly server: PostgresServer;
  readonly pool: Pool;
}

/** `pools` in the order in which new connections are tried: one that has a connection to spare, or as many as may be, is asked alone. */
function poolOver(
  all: readonly ServerPool[],
  target: Target,
  Driver: new (server: PostgresServer) => Client,
): PostgresPool {
  // Said of idle connections when a server goes: the pool makes others when they are needed.
  for (const { pool } of all) pool.on('error', () => {});
  /** Found to be of the kind wanted. */
  const known = new WeakSet<PoolClient>();
  let pools = all;

  const checkOut = async (): Promise<PoolClient & { server: PostgresServer }> => {
    const at = new Map(pools.map(({ pool, server }) => [server, pool]));
    const spare = pools.filter(
      ({ pool }) => pool.idleCount > 0 || pool.totalCount >= (pool.options.max ?? 1),
    );
    const candidates = (spare.length > 0 ? spare : pools).map(({ server }) => server);
    return await firstServer(candidates, target, async (server, wanted) => {
      const client = await connected(server, at.get(server)!);
      if (known.has(client)) return Object.assign(client, { server });
      try {
        await checkTarget(wanted, (sql) => client.query(sql));
      } catch (error) {
        client.release(true);
        throw postgresWords(error, server);
      }
      known.add(client);
      return Object.assign(client, { server });
    });
  };
  const connected = async (server: PostgresServer, pool: Pool): Promise<PoolClient> => {
    try {
      return await pool.connect();
    } catch (error) {
      // TLS that is only preferred is not asked of it again.
      const without = pools.find((one) => one.server.ssl === false && isSame(one.server, server));
      if (without !== undefined && NO_TLS.test((error as Error).message)) {
        pools = pools.filter((one) => one.server !== server);
      }
      throw postgresWords(error, server);
    }
  };

  const withClient = async <T>(
    work: (ask: Ask) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> => {
    signal?.throwIfAborted();
    const out = checkOut();
    const client = await (signal === undefined
      ? out
      : waitedFor(out, signal, (late) => late.release()));
    const config = client.server;
    // A connection that breaks while it is ours says so on both ways; the statement's error is the one to tell.
    const ignore = () => {};
    client.on('error', ignore);
    let broken = false;
    const ask: Ask = async (question) => {
      try {
        return await question(client);
      } catch (error) {
        // What the server refused leaves the connection well; anything else leaves it in the middle of something.
        const { severity } = error as PostgresFailure;
        if (severity === undefined || severity !== 'ERROR') broken = true;
        throw postgresWords(error, config);
      }
    };
    const give = (): void => {
      client.off('error', ignore);
      client.release(broken || isBusy(client));
    };
    if (signal === undefined) return await work(ask).finally(give);
    const abandon = (): void => {
      // In the middle of something: nobody else may have it, and what it says as it goes is nothing.
      client.release(true);
      void cancelStatement(Driver, client.server, client);
    };
    signal.addEventListener('abort', abandon, { once: true });
    const done = work(ask).finally(() => {
      signal.removeEventListener('abort', abandon);
      if (!signal.aborted) give();
    });
    return await waitedFor(done, signal);
  };

  const withOne: PostgresPool['withOne'] = (work, signal) =>
    withClient(
      (ask) =>
        work((sql, values) =>
          ask(async (client) => {
            const { rows, rowCount } = await client.query(sql, values as unknown[]);
            return { rows, count: rowCount ?? 0 };
          }),
        ),
      signal,
    );

  return {
    servers: all.map(({ server }) => server),
    target,
    written: (sql, values, signal) =>
      withClient((ask) => ask((client) => askWritten(client, sql, values)), signal),
    query: (sql, values, signal) => withOne((query) => query(sql, values), signal),
    withOne,
    inTransaction: (work, signal) =>
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
      }, signal),
    async close() {
      await Promise.all(all.map(({ pool }) => pool.end()));
    },
  };
}

/** Has the connection do one thing; what it throws is in Dapr's words. */
type Ask = <T>(question: (client: PoolClient) => Promise<T>) => Promise<T>;

/** In a transaction, which only somebody else's statement leaves open. */
function isBusy(client: PoolClient & { getTransactionStatus?(): string | null }): boolean {
  return !['I', null, undefined].includes(client.getTransactionStatus?.());
}

async function askWritten(
  client: PoolClient,
  sql: string,
  values: readonly unknown[] | undefined,
): Promise<WrittenRows> {
  const config = {
    text: sql,
    rowMode: 'array' as const,
    types: { getTypeParser: () => (text: string) => text },
    ...(values === undefined ? {} : { values: [...values], queryMode: 'extended' }),
  };
  // Several statements have several answers.
  const answers = [await client.query<(string | null)[]>(config as QueryArrayConfig)].flat();
  const { fields, rowCount, rows } = answers.at(-1)!;
  return { types: fields.map(({ dataTypeID }) => dataTypeID), rows, count: rowCount ?? 0 };
}

const isSame = (one: PostgresServer, other: PostgresServer): boolean =>
  one.host === other.host && one.port === other.port;
