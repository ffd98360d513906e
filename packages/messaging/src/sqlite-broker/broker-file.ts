import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@holdfast/core';
import { BrokerUnavailableError, StoreUnavailableError } from '../errors.ts';
import { Connection } from '../sqlite/connection.ts';
import { prepareStatements, type Statements } from './statements.ts';
import { prepareTables } from './tables.ts';

/**
 * How long the event loop waits for another process's transaction. Longer waits
 * are made between attempts, when others are served: each subscription waits for
 * itself, and there may be many.
 */
const BUSY_TIMEOUT_MS = 5;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 250;

/** The file of a broker, and its statements. What it throws while the file cannot be used is `StoreUnavailableError`. */
export class BrokerFile {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #connection: Connection;
  #statements: Statements | undefined;
  #generation = 0;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
    this.#connection = new Connection({
      ...{ path, clock, busyTimeoutMs: BUSY_TIMEOUT_MS },
      prepare: prepareTables,
    });
  }

  /** Raised with each opening of the file. */
  get generation(): number {
    return this.#connection.generation;
  }

  /** A transaction that is on disk when this returns. */
  write<T>(work: (sql: Statements) => T): T {
    return this.#connection.write((database) => work(this.#prepared(database)));
  }

  /** A transaction that a power cut may undo, and nothing else: who has what, and who has had it. */
  note<T>(work: (sql: Statements) => T): T {
    return this.#connection.writeUnflushed((database) => work(this.#prepared(database)));
  }

  read<T>(work: (sql: Statements) => T): T {
    return this.#connection.read((database) => work(this.#prepared(database)));
  }

  /**
   * Repeats `work` until the file can be used, for `timeoutMs` at most.
   *
   * @throws BrokerUnavailableError
   */
  async patiently<T>(work: () => T, timeoutMs: number, signal?: AbortSignal): Promise<T> {
    const giveUpAtMs = this.#clock.now() + timeoutMs;
    for (let tries = 0; ; tries += 1) {
      try {
        return work();
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error;
        if (this.#clock.now() >= giveUpAtMs || signal?.aborted) throw this.unavailable(error);
        // Ended meanwhile, it is tried once more and then given up.
        await this.#clock.sleep(pauseMs(tries), signal).catch(() => {});
      }
    }
  }

  unavailable(error: StoreUnavailableError): BrokerUnavailableError {
    return new BrokerUnavailableError(
      `The broker in ${this.#path} cannot be used: ${error.message}`,
      error,
    );
  }

  close(): void {
    this.#connection.close();
  }

  #prepared(database: DatabaseSync): Statements {
    if (this.#statements === undefined || this.#generation !== this.#connection.generation) {
      this.#statements = prepareStatements(database);
      this.#generation = this.#connection.generation;
    }
    return this.#statements;
  }
}

export function pauseMs(tries: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, 10));
}
