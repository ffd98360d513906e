import { readFile } from 'node:fs/promises';
import { type CircuitSnapshot, circuitBreaker, isPolicyError, pipeline } from '@holdfast/core';
import { circuitOf } from '@holdfast/http';
import pg from 'pg';

/** Where the database is and how it may be used. */
export interface DatabaseOptions {
  /** `postgres://user@host:port/name`, without the password. */
  readonly url: string;
  /** A file in pgpass format that holds the password. */
  readonly passwordFile: string;
  /** A query that takes longer is ended, so that a locked table holds no request for ever. @default 6_000 ms */
  readonly statementMs?: number;
  /** How long a call waits for one of the ten connections. @default 5_000 ms */
  readonly acquireMs?: number;
}

/** A small door to PostgreSQL: two to ten connections, behind a circuit breaker. */
export interface Database {
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Rejects while it does not answer. */
  ping(): Promise<void>;
  circuit(): CircuitSnapshot | undefined;
  close(): Promise<void>;
}

/** Nothing was done, or nobody can know whether it was. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';
  readonly code = 'DATABASE_UNAVAILABLE';
  /** What a busy database could not do in time; undefined when there simply is none to be reached. */
  readonly reason: string | undefined;

  constructor(reason: string | undefined, cause: unknown) {
    super(`Database unavailable${reason === undefined ? '' : `: ${reason}`}.`, { cause });
    this.reason = reason;
  }
}

const MAX_CONNECTIONS = 10;

export function openDatabase(options: DatabaseOptions): Database {
  const { statementMs = 6_000, acquireMs = 5_000 } = options;
  const server = new URL(options.url);
  const pool = new pg.Pool({
    // Not `connectionString`: pg would let its missing password win over the function below.
    host: server.hostname,
    port: Number(server.port),
    user: server.username,
    database: server.pathname.slice(1),
    password: async () => (await readFile(options.passwordFile, 'utf8')).trim().split(':')[4] ?? '',
    min: 2,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: acquireMs,
    statement_timeout: statementMs,
    // The server's own limit comes first; this one is for a server that says nothing at all.
    query_timeout: statementMs + 1_000,
    keepAlive: true,
  });
  // An idle connection that breaks is reported here; without a listener it would end the process.
  pool.on('error', () => {});

  const calls = pipeline('database', [
    circuitBreaker({ consecutiveFailures: 3, openMs: 1_000, failureIf: isConnectionLoss }),
  ]);

  const database: Database = {
    async query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) {
      try {
        const answer = await calls.execute(() => pool.query<Row>(text, [...values]));
        return answer.rows;
      } catch (error) {
        const busy = whyBusy(error);
        if (busy === undefined && !isPolicyError(error) && !isConnectionLoss(error)) throw error;
        throw new DatabaseUnavailableError(busy, error);
      }
    },
    async ping() {
      await database.query('SELECT 1');
    },
    circuit: () => circuitOf(calls),
    close: () => pool.end(),
  };
  return database;
}

// What pg and PostgreSQL say; pg's errors have no codes.
const POOL_EXHAUSTED = 'timeout exceeded when trying to connect';
const NO_ANSWER = 'Query read timeout';
const QUERY_CANCELED = '57014';

/** What was too much for a server that is there; undefined for any other error. */
function whyBusy(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.message === POOL_EXHAUSTED) {
    return `pool exhausted: all ${MAX_CONNECTIONS} connections stayed busy`;
  }
  const ended = 'code' in error && error.code === QUERY_CANCELED;
  return ended || error.message === NO_ANSWER ? 'statement timed out' : undefined;
}

/**
 * Only these open the circuit. A busy pool or a slow statement proves that the
 * server is there: the wait is their remedy, not an open circuit.
 */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.message === NO_ANSWER) return true;
  if (/^Connection terminated|^timeout expired/.test(error.message)) return true;
  const code = 'code' in error ? String(error.code) : '';
  // Class 08: connection exceptions. 57P01–03: shutting down, crashed, starting up. 53300: too many clients.
  return /^(08|57P0|53300)/.test(code) || /^E(CONN|PIPE|TIMEDOUT|HOST|NET|NOENT)/.test(code);
}
