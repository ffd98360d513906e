import type { Client, Pool, PoolClient, QueryArrayConfig } from 'pg';
import { waitedFor } from '../components/waited-for.ts';
import { cancelStatement } from './cancel-statement.ts';
import type { PostgresPool, Query, Rows, WrittenRows } from './postgres-pool.ts';
import {
  checkTarget,
  firstServer,
  NO_TLS,
  type PostgresServer,
  type Target,
} from './postgres-servers.ts';
import { type PostgresFailure, postgresWords } from './postgres-words.ts';

/** A write in a transaction that may only read. */
const READ_ONLY = '25006';

/** The connections to one server. */
export interface ServerPool {
  readonly server: PostgresServer;
  readonly pool: Pool;
}

/** A connection that is somebody's for a while, and whose it is. */
interface CheckedOut {
  readonly client: PoolClient;
  readonly server: PostgresServer;
}

/** Has the connection do one thing; what it throws is in Dapr's words. */
type Ask = <T>(question: (client: PoolClient) => Promise<T>) => Promise<T>;

/** Tries new connections in the order of its pools: one that has a connection to spare, or as many as may be, is asked alone. */
export class ServerPools implements PostgresPool {
  readonly servers: readonly PostgresServer[];
  readonly target: Target;
  readonly #all: readonly ServerPool[];
  readonly #Driver: new (
    server: PostgresServer,
  ) => Client;
  /** Found to be of the kind wanted. */
  readonly #known = new WeakSet<PoolClient>();
  /** Those that are still asked. */
  #pools: readonly ServerPool[];

  constructor(
    all: readonly ServerPool[],
    target: Target,
    Driver: new (server: PostgresServer) => Client,
  ) {
    this.servers = all.map(({ server }) => server);
    this.target = target;
    this.#all = all;
    this.#pools = all;
    this.#Driver = Driver;
    // Said of idle connections when a server goes: the pool makes others when they are needed.
    for (const { pool } of all) pool.on('error', () => {});
  }

  query(sql: string, values?: readonly unknown[], signal?: AbortSignal): Promise<Rows> {
    return this.withOne((query) => query(sql, values), signal);
  }

  written(
    sql: string,
    values: readonly unknown[] | undefined,
    signal?: AbortSignal,
  ): Promise<WrittenRows> {
    return this.#withClient((ask) => ask((client) => askWritten(client, sql, values)), signal);
  }

  withOne<T>(work: (query: Query) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#withClient(
      (ask) =>
        work((sql, values) =>
          ask(async (client) => {
            const { rows, rowCount } = await client.query(sql, values as unknown[]);
            return { rows, count: rowCount ?? 0 };
          }),
        ),
      signal,
    );
  }

  inTransaction<T>(work: (query: Query) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.withOne(async (query) => {
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
    }, signal);
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map(({ pool }) => pool.end()));
  }

  async #withClient<T>(work: (ask: Ask) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const out = this.#checkOut();
    const { client, server } = await (signal === undefined
      ? out
      : waitedFor(out, signal, (late) => late.client.release()));
    // A connection that breaks while it is ours says so on both ways; the statement's error is the one to tell.
    const ignore = () => {};
    client.on('error', ignore);
    let broken = false;
    const ask: Ask = async (question) => {
      try {
        return await question(client);
      } catch (error) {
        // What the server refused leaves the connection well; anything else leaves it in the middle of something.
        // One that is read-only now has been demoted; behind a name that moves a new one leads to the next primary.
        const { code, severity } = error as PostgresFailure;
        if (severity !== 'ERROR' || code === READ_ONLY) broken = true;
        throw postgresWords(error, server);
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
      void cancelStatement(this.#Driver, server, client);
    };
    signal.addEventListener('abort', abandon, { once: true });
    const done = work(ask).finally(() => {
      signal.removeEventListener('abort', abandon);
      if (!signal.aborted) give();
    });
    return await waitedFor(done, signal);
  }

  async #checkOut(): Promise<CheckedOut> {
    const at = new Map(this.#pools.map(({ pool, server }) => [server, pool]));
    const spare = this.#pools.filter(
      ({ pool }) => pool.idleCount > 0 || pool.totalCount >= (pool.options.max ?? 1),
    );
    const candidates = (spare.length > 0 ? spare : this.#pools).map(({ server }) => server);
    return await firstServer(candidates, this.target, async (server, wanted) => {
      const client = await this.#connected(server, at.get(server)!);
      if (this.#known.has(client)) return { client, server };
      try {
        await checkTarget(wanted, (sql) => client.query(sql));
      } catch (error) {
        client.release(true);
        throw postgresWords(error, server);
      }
      this.#known.add(client);
      return { client, server };
    });
  }

  async #connected(server: PostgresServer, pool: Pool): Promise<PoolClient> {
    try {
      return await pool.connect();
    } catch (error) {
      // TLS that is only preferred is not asked of it again.
      const without = this.#pools.some(
        (one) => one.server.ssl === false && isSame(one.server, server),
      );
      if (without && NO_TLS.test((error as Error).message)) {
        this.#pools = this.#pools.filter((one) => one.server !== server);
      }
      throw postgresWords(error, server);
    }
  }
}

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
