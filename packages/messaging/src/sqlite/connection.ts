import { closeSync, fsyncSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@holdfast/core';
import { StoreUnavailableError } from '../errors.ts';
import { readSqliteFailure } from './failure.ts';
import { rewriteLog } from './rewrite-log.ts';

export interface ConnectionOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly busyTimeoutMs: number;
  /** Makes or checks the tables. Returns why the file cannot be used. */
  readonly prepare: (database: DatabaseSync) => string | undefined;
}

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5_000;

type State =
  | { readonly kind: 'new' }
  | {
      readonly kind: 'open';
      readonly database: DatabaseSync;
      files: FileIdentity;
      flushes: boolean;
    }
  | {
      readonly kind: 'broken';
      readonly why: string;
      readonly retryAtMs: number;
      readonly cause: unknown;
    }
  | { readonly kind: 'closed' };

/**
 * One SQLite file, opened when needed and again after it failed.
 *
 *     new ──▶ open ──failure──▶ broken ──back-off over, next call──▶ open
 *
 * While broken every call is refused at once. A commit counts only if the file
 * at the path is still the one that was written: SQLite happily goes on writing
 * to a file that somebody has deleted or replaced.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  #state: State = { kind: 'new' };
  #retryMs = FIRST_RETRY_MS;
  /** Once a file was there, its absence is an accident: never quietly begin an empty one. */
  #existed = false;
  /** Raised with each opening: prepared statements of an earlier one are void. */
  generation = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Runs `work` in a transaction that is on disk when this returns. */
  write<T>(work: (database: DatabaseSync) => T): T {
    return this.#transact(work, true);
  }

  /**
   * Runs `work` in a transaction that survives the end of this process at once, and a power cut from
   * the next `write` on: it is in the same log, before it.
   */
  writeUnflushed<T>(work: (database: DatabaseSync) => T): T {
    return this.#transact(work, false);
  }

  #transact<T>(work: (database: DatabaseSync) => T, flush: boolean): T {
    return this.#guard((state) => {
      const { database } = state;
      if (state.flushes !== flush) {
        database.exec(`PRAGMA synchronous = ${flush ? 'FULL' : 'NORMAL'}`);
        state.flushes = flush;
      }
      const value = transaction(database, work);
      this.#checkIdentity(state);
      return value;
    });
  }

  /** Runs `work` outside of a transaction of its own. */
  read<T>(work: (database: DatabaseSync) => T): T {
    return this.#guard(({ database }) => work(database));
  }

  close(): void {
    if (this.#state.kind === 'open') closeQuietly(this.#state.database);
    this.#state = { kind: 'closed' };
  }

  #guard<T>(work: (state: State & { kind: 'open' }) => T): T {
    const state = this.#ready();
    try {
      return work(state);
    } catch (error) {
      throw this.#read(error);
    }
  }

  #ready(): State & { kind: 'open' } {
    const state = this.#state;
    switch (state.kind) {
      case 'open':
        return state;
      case 'closed':
        throw new StoreUnavailableError(`${this.#options.path} was closed by this process.`, 0);
      case 'broken': {
        const waitMs = state.retryAtMs - this.#options.clock.now();
        if (waitMs > 0) throw this.#unavailable(state.why, waitMs, state.cause);
        return this.#open();
      }
      case 'new':
        return this.#open();
    }
  }

  #open(): State & { kind: 'open' } {
    const { path, busyTimeoutMs, prepare } = this.#options;
    let database: DatabaseSync | undefined;
    try {
      if (this.#existed && statSync(path, { throwIfNoEntry: false }) === undefined) {
        throw this.#break(MISSING, undefined);
      }
      database = new DatabaseSync(path, { timeout: busyTimeoutMs });
      // FULL: each commit waits for fsync. Anything less forgets acknowledged messages at a power cut.
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
      rewriteLog(database, path);
      const problem = prepare(database) ?? findDamage(database);
      if (problem !== undefined) throw this.#break(problem, undefined);
      syncDirectory(path);
      const open = { kind: 'open' as const, database, files: identify(path), flushes: true };
      this.#existed = true;
      this.#retryMs = FIRST_RETRY_MS;
      this.generation += 1;
      this.#state = open;
      return open;
    } catch (error) {
      if (database !== undefined) closeQuietly(database);
      throw this.#read(error);
    }
  }

  /** Turns SQLite's error into ours and, where the connection is spoilt, breaks it. */
  #read(error: unknown): unknown {
    if (error instanceof StoreUnavailableError) return error;
    const failure = readSqliteFailure(error);
    if (failure === undefined) return error;
    if (failure.broken || this.#state.kind !== 'open') return this.#break(failure.advice, error);
    return this.#unavailable(failure.advice, FIRST_RETRY_MS, error);
  }

  #break(why: string, cause: unknown): StoreUnavailableError {
    if (this.#state.kind === 'open') closeQuietly(this.#state.database);
    const waitMs = this.#retryMs;
    this.#retryMs = Math.min(LONGEST_RETRY_MS, waitMs * 2);
    const retryAtMs = this.#options.clock.now() + waitMs;
    this.#state = { kind: 'broken', why, retryAtMs, cause };
    return this.#unavailable(why, waitMs, cause);
  }

  #unavailable(why: string, retryAfterMs: number, cause: unknown): StoreUnavailableError {
    return new StoreUnavailableError(
      `${this.#options.path} ${why}`,
      Math.ceil(retryAfterMs),
      cause,
    );
  }

  #checkIdentity(state: State & { kind: 'open' }): void {
    const now = identify(this.#options.path);
    if (now.main === undefined || now.wal === undefined) throw this.#break(MISSING, undefined);
    if (now.main === state.files.main && now.wal === state.files.wal) return;
    // The log appears with the first write after opening; that is no replacement.
    if (now.main === state.files.main && state.files.wal === undefined) {
      state.files = now;
      return;
    }
    throw this.#break(REPLACED, undefined);
  }
}

function transaction<T>(database: DatabaseSync, work: (database: DatabaseSync) => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const value = work(database);
    database.exec('COMMIT');
    return value;
  } catch (error) {
    // After the gravest errors SQLite has rolled back by itself; then there is nothing to do.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

const MISSING =
  'or its -wal file was removed while in use. Put both back, or restart this process to begin with an empty one.';
const REPLACED =
  'or its -wal file was replaced while in use. What was written to the old file since then is not in the new one.';

/** Device and inode of the file and of its log. */
interface FileIdentity {
  readonly main: string | undefined;
  readonly wal: string | undefined;
}

function identify(path: string): FileIdentity {
  return { main: inodeOf(path), wal: inodeOf(`${path}-wal`) };
}

function inodeOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}

/** A damaged page is found now, not when its message is due. Reads the whole file: 1 s per 0.5 GB. */
function findDamage(database: DatabaseSync): string | undefined {
  const row = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
  if (row.quick_check === 'ok') return undefined;
  const finding = row.quick_check.replaceAll(/\s+/g, ' ');
  return `is damaged (${finding}). Move it away and restore it from a backup, or rescue it with \`sqlite3 FILE .recover\`.`;
}

/** A new file is durable only when the directory that names it is. */
function syncDirectory(path: string): void {
  const directory = openSync(dirname(path), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function closeQuietly(database: DatabaseSync): void {
  try {
    database.close();
  } catch {
    // It failed before, so it may fail to close; the file descriptor is all that is left of it.
  }
}
