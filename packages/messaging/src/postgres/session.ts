import type { Clock } from '@holdfast/core';
import { StoreUnavailableError } from '../errors.ts';
import { checkOut, giveBack, hearIdle } from './check-out.ts';
import { readPostgresFailure } from './failure.ts';
import { migrate } from './migrate.ts';
import type { PooledClient, PostgresClient, PostgresPool } from './module.ts';

export interface SessionOptions {
  readonly pool: PostgresPool;
  readonly schema: string;
  /** What the schema is to the reader of an error. @default 'outbox' */
  readonly about?: string;
  readonly steps: readonly string[];
  /** The table that says how many of the steps were made. @default 'version' */
  readonly versions?: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

const RETRY_MS = 500;

/**
 * Work on a database that may be away: each piece on a connection of the pool, with a time-out, after
 * which the connection is thrown away. The pool makes new ones when the database is back.
 */
export class Session {
  readonly #options: SessionOptions;
  #prepared = false;
  #closed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    hearIdle(options.pool);
  }

  /** Once the tables are as they should be. Throws `StoreUnavailableError` where the database cannot do it now. */
  async run<T>(work: (client: PostgresClient) => Promise<T>): Promise<T> {
    if (this.#closed) throw this.#unavailable('was closed by this process.', undefined);
    return this.#connected(async (client) => {
      if (!this.#prepared) await this.#prepare(client);
      return work(client);
    });
  }

  close(): void {
    this.#closed = true;
  }

  async #prepare(client: PostgresClient): Promise<void> {
    const { schema, steps, versions } = this.#options;
    const problem = await migrate(client, schema, steps, versions);
    if (problem !== undefined) throw this.#unavailable(problem, undefined);
    this.#prepared = true;
  }

  async #connected<T>(work: (client: PostgresClient) => Promise<T>): Promise<T> {
    let client: PooledClient | undefined;
    let broken = false;
    try {
      client = await this.#inTime(checkOut(this.#options.pool), (late) => giveBack(late, false));
      return await this.#inTime(work(client));
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error;
      const advice = readPostgresFailure(error);
      // What the server refused leaves the connection well; anything else in the middle of something.
      // One to what is a standby now would stay one, wherever its name leads by then.
      broken = !isRefusal(error) || isStandby(error);
      throw advice === undefined ? error : this.#unavailable(advice, error);
    } finally {
      if (client !== undefined) giveBack(client, broken);
    }
  }

  /** Rejects when it takes too long. `late` is told of what comes after all. */
  #inTime<T>(promise: Promise<T>, late: (value: T) => void = () => {}): Promise<T> {
    const { clock, timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      let over = false;
      const timer = clock.timer(timeoutMs, () => {
        over = true;
        reject(new Error(`timeout: no answer within ${timeoutMs} ms`));
      });
      promise.then(
        (value) => {
          timer.cancel();
          if (over) late(value);
          else resolve(value);
        },
        (error: unknown) => {
          timer.cancel();
          reject(error);
        },
      );
    });
  }

  #unavailable(why: string, cause: unknown): StoreUnavailableError {
    const { about = 'outbox', schema } = this.#options;
    const text = `The database of ${about} schema "${schema}" ${why}`;
    return new StoreUnavailableError(text, RETRY_MS, cause);
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && error.severity === 'ERROR';
}

function isStandby(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '25006';
}
