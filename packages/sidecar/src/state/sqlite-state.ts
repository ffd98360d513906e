import { randomUUID } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '@holdfast/core';
import type { ComponentSettings } from '../components/component-settings.ts';
import { durationSetting } from '../components/duration-setting.ts';
import type { ComponentsEnv } from '../components/open-components.ts';
import { warnUnheeded } from '../components/warn-unheeded.ts';
import { every } from '../sqlite/every.ts';
import { FollowedFile } from '../sqlite/followed-file.ts';
import { openSharedFile } from '../sqlite/open-shared-file.ts';
import { SharedCommits } from '../sqlite/shared-commits.ts';
import { type SqliteLocation, sqliteLocation } from '../sqlite/sqlite-location.ts';
import { inTurn, isBusy, whileBusy } from '../sqlite/while-busy.ts';
import {
  EtagMismatchError,
  type StateItem,
  type StateOperation,
  type StateStore,
} from './state-store.ts';
import { sqlTtl } from './ttl.ts';
import { writeEachAtOnce } from './write-each.ts';

/** Dapr's table, to the letter, so that both can open one file. */
const SCHEMA = (table: string, metadata: string) => `
CREATE TABLE IF NOT EXISTS ${metadata} (
  key text NOT NULL PRIMARY KEY,
  value text NOT NULL
);
CREATE TABLE IF NOT EXISTS ${table} (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL,
  is_binary BOOLEAN NOT NULL,
  etag TEXT NOT NULL,
  expiration_time TIMESTAMP DEFAULT NULL,
  update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT OR IGNORE INTO ${metadata} (key, value) VALUES ('migrations', '1');`;

const LIVE = '(expiration_time IS NULL OR expiration_time > CURRENT_TIMESTAMP)';
/** Another process's write is waited for, as in Dapr. Not in SQLite, where the event loop would wait, and all else with it. */
const BUSY_MS = 2_000;
const TIMEOUT_MS = 20_000;
/** Expired items go with the write that makes so many, whatever `cleanupInterval` says. */
const SWEEP_EVERY = 1_000;

/** Dapr's, which may begin with a digit: it stands between quotation marks. */
const TABLE_NAME = /^[a-z\d_]+$/i;

/**
 * `state.sqlite`: one file, in write-ahead mode, flushed before a write is
 * answered; several sidecars on one machine may share it. The file's own clock
 * is SQLite's.
 *
 * @throws Error for a file that cannot be opened, or a table's name that is none.
 */
export async function sqliteState(
  settings: ComponentSettings,
  { clock, log }: Pick<ComponentsEnv, 'clock' | 'log'>,
): Promise<StateStore> {
  const { busyMs, location, sweepMs, table, ...read } = readSettings(settings);
  warnUnheeded(log, settings.component, location.unheeded);
  const file = await FollowedFile.open(
    () => openFile({ location, table, ...read }, clock),
    (path) =>
      log.error(
        `component ${settings.component}: ${path} was deleted, or another file put in its place, while it was in use; what is there now is used from here on`,
      ),
  );
  const locked = (error: unknown): never => {
    if (!isBusy(error)) throw error;
    const { message } = error as Error;
    throw new Error(`${message}: by another process, for more than ${busyMs} ms (busyTimeout)`, {
      cause: error,
    });
  };
  const turn = inTurn(busyMs, clock);
  const commits = new SharedCommits(async (work) => {
    await file.look();
    return await turn(() => work(file.current.database)).catch(locked);
  });
  const sweep = async (): Promise<void> => {
    await file.look();
    file.current.database.exec(`DELETE FROM ${table} WHERE NOT ${LIVE}`);
  };
  const sweeping = sweepMs > 0 && !location.readOnly ? every(sweepMs, clock, sweep) : undefined;
  let unswept = 0;

  return {
    capabilities: ['ETAG', 'TRANSACTIONAL', 'TTL', 'KEYS_LIKE'],
    readTtl: sqlTtl,
    async get(key) {
      await file.look();
      const read = () => file.current.statements.get.get(key);
      return itemOf(await whileBusy(read, busyMs, clock).catch(locked));
    },
    async write(operations, atomic) {
      unswept += operations.length;
      const one = (operation: StateOperation) => writeOne(file.current.statements, operation);
      if (atomic) {
        await commits.write(() => {
          for (const operation of operations) one(operation);
        });
      } else {
        await writeEachAtOnce(operations, (operation) => commits.write(() => one(operation)));
      }
      if (unswept < SWEEP_EVERY) return;
      unswept = 0;
      // What has been written is, whatever becomes of this: the next one makes up for it.
      await sweep().catch(() => {});
    },
    async close() {
      sweeping?.close();
      file.close();
    },
  };
}

interface SqliteStateSettings {
  /** Between quotation marks, as `metadata`. */
  readonly table: string;
  readonly metadata: string;
  readonly location: SqliteLocation;
  /** Longest wait for another process's write. */
  readonly busyMs: number;
  /** Between sweeps of what has expired; 0 or less: only writes sweep. */
  readonly sweepMs: number;
  readonly journal: 'WAL' | 'DELETE';
}

function readSettings(settings: ComponentSettings): SqliteStateSettings {
  // Nothing here waits for longer than for another's write.
  if ((durationSetting(settings, 'timeout', 'timeoutInSeconds') ?? TIMEOUT_MS) < 1_000) {
    throw new Error("invalid value for 'timeout': must be greater than 1s");
  }
  return {
    table: tableName(settings.text('tableName') ?? 'state'),
    metadata: tableName(settings.text('metadataTableName') ?? 'metadata'),
    location: sqliteLocation(
      settings.text('connectionString') ??
        settings.text('url') ??
        settings.required('connectionString'),
    ),
    busyMs: Math.max(0, durationSetting(settings, 'busyTimeout') ?? BUSY_MS),
    sweepMs: durationSetting(settings, 'cleanupInterval', 'cleanupIntervalInSeconds') ?? 0,
    journal: settings.flag('disableWAL') ? 'DELETE' : 'WAL',
  };
}

async function openFile(
  {
    journal,
    location: { inMemory, pragmas, readOnly, uri },
    metadata,
    table,
  }: Pick<SqliteStateSettings, 'journal' | 'location' | 'metadata' | 'table'>,
  clock: Clock,
) {
  const database = await openSharedFile(uri, 0, clock, (file) => {
    if (!inMemory && !readOnly) {
      file.exec(`PRAGMA journal_mode = ${journal}; PRAGMA synchronous = FULL;`);
    }
    for (const pragma of pragmas) file.exec(`PRAGMA ${pragma}`);
    if (!readOnly) file.exec(SCHEMA(table, metadata));
  });
  return { database, statements: prepare(database, table) };
}

function itemOf(row: Readonly<Record<string, unknown>> | undefined): StateItem | undefined {
  if (row === undefined) return undefined;
  const text = String(row.value);
  return {
    value: row.is_binary === 1 ? Buffer.from(text, 'base64') : text,
    etag: String(row.etag),
    expiresAt: row.expires === null ? undefined : String(row.expires),
  };
}

function tableName(text: string): string {
  if (TABLE_NAME.test(text)) return `"${text}"`;
  throw new Error(`"${text}" is no name for a table: letters, digits and _ may stand there`);
}

type Statements = Readonly<
  Record<'get' | 'set' | 'first' | 'replace' | 'remove' | 'removeIf', StatementSync>
>;

function prepare(database: DatabaseSync, table: string): Statements {
  const columns = '(key, value, is_binary, etag, expiration_time, update_time)';
  // Seconds from now; without one it stays.
  const until =
    "CASE WHEN ? IS NULL THEN NULL ELSE DATETIME(CURRENT_TIMESTAMP, ? || ' seconds') END";
  const row = `(?, ?, ?, ?, ${until}, CURRENT_TIMESTAMP)`;
  const update =
    'value = excluded.value, is_binary = excluded.is_binary, etag = excluded.etag, ' +
    'expiration_time = excluded.expiration_time, update_time = CURRENT_TIMESTAMP';
  const insert = `INSERT INTO ${table} ${columns} VALUES ${row} ON CONFLICT (key) DO UPDATE SET ${update}`;
  return {
    get: database.prepare(
      `SELECT value, is_binary, etag, strftime('%Y-%m-%dT%H:%M:%SZ', expiration_time) AS expires FROM ${table} WHERE key = ? AND ${LIVE}`,
    ),
    set: database.prepare(insert),
    // Only where there is nothing, or what there is has expired.
    first: database.prepare(
      `${insert} WHERE NOT ${LIVE.replaceAll('expiration_time', `${table}.expiration_time`)}`,
    ),
    replace: database.prepare(
      `UPDATE ${table} SET value = ?, is_binary = ?, etag = ?, expiration_time = ${until}, update_time = CURRENT_TIMESTAMP WHERE key = ? AND etag = ? AND ${LIVE}`,
    ),
    remove: database.prepare(`DELETE FROM ${table} WHERE key = ?`),
    removeIf: database.prepare(`DELETE FROM ${table} WHERE key = ? AND etag = ? AND ${LIVE}`),
  };
}

function writeOne(statements: Statements, operation: StateOperation): void {
  const { key, etag } = operation;
  if (operation.kind === 'delete') {
    if (etag === undefined) statements.remove.run(key);
    else expectChange(statements.removeIf.run(key, etag).changes);
    return;
  }
  const { ttlSeconds, firstWrite } = operation;
  const isBytes = Buffer.isBuffer(operation.value);
  const value = isBytes
    ? (operation.value as Buffer).toString('base64')
    : (operation.value as string);
  const binary = isBytes ? 1 : 0;
  const ttl = ttlSeconds === undefined || ttlSeconds <= 0 ? null : ttlSeconds;
  if (etag !== undefined) {
    expectChange(statements.replace.run(value, binary, randomUUID(), ttl, ttl, key, etag).changes);
  } else {
    const statement = firstWrite ? statements.first : statements.set;
    expectChange(statement.run(key, value, binary, randomUUID(), ttl, ttl).changes);
  }
}

function expectChange(changes: number | bigint): void {
  if (Number(changes) === 0) throw new EtagMismatchError();
}
