import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { type Clock, systemClock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { Recent } from '../policies/recent.ts';
import { every } from '../sqlite/every.ts';
import { FollowedFile } from '../sqlite/followed-file.ts';
import { openSharedFile } from '../sqlite/open-shared-file.ts';
import { isBusy, whileBusy } from '../sqlite/while-busy.ts';
import type { NameResolver, Registration } from './name-resolver.ts';

export interface SqliteNamesOptions {
  /** File all sidecars share, Dapr's own may be among them; as SQLite opens it, a path or a `file:` URI. */
  readonly path: string;
  /** @default 'hosts' */
  readonly tableName?: string;
  /** @default 'metadata' */
  readonly metadataTableName?: string;
  /** A registration that is older counts as dead; it is renewed five times as often. @default 5_000 ms */
  readonly updateIntervalMs?: number;
  /** How often dead registrations of others are removed; 0 or less: never. @default 3_600_000 ms */
  readonly cleanupIntervalMs?: number;
  /** Longest wait for another process's lock. @default 800 ms */
  readonly busyTimeoutMs?: number;
  /** Longest that a look-up, or the registration, takes: no longer is a lock waited for. @default 1_000 ms */
  readonly timeoutMs?: number;
  /** `DELETE` is for network file systems; undefined leaves it as it is. @default 'WAL' */
  readonly journal?: 'WAL' | 'DELETE' | undefined;
  /** `cache_size(-2000)`, to be set after our own. @default none */
  readonly pragmas?: readonly string[];
  readonly clock?: Clock;
  readonly log: Logger;
}

const SQLITE_NAMES_DEFAULTS = {
  tableName: 'hosts',
  metadataTableName: 'metadata',
  updateIntervalMs: 5_000,
  cleanupIntervalMs: 3_600_000,
  busyTimeoutMs: 800,
  timeoutMs: 1_000,
  journal: 'WAL',
  pragmas: [],
} as const;

/**
 * So often within its life a registration is renewed. Dapr's resolver does it once, a second before
 * the end, and rows count in whole seconds: a process that is held up for a moment is not found then.
 */
const RENEWALS_IN_LIFE = 5;

/** A renewal waits no longer for a lock, since the event loop waits with it: the next one is near. */
const RENEWAL_BUSY_MS = 50;

/** Where an app has no row that is alive, one that lapsed so many lives ago is tried: its sidecar may only be held up. */
const LIVES_OF_GRACE = 2;

/** Addresses that are known not to answer. */
const MAX_SILENT = 1_000;

/**
 * Name resolution through a file, with the table and the rules of Dapr's
 * `nameresolution.sqlite`, so that both kinds of sidecar can share it. As
 * there, namespaces are not told apart.
 */
export async function sqliteNames(given: SqliteNamesOptions): Promise<NameResolver> {
  const options = { ...SQLITE_NAMES_DEFAULTS, clock: systemClock, ...given };
  checkTableName('table name', options.tableName);
  checkTableName('metadata table name', options.metadataTableName);
  const { busyTimeoutMs, cleanupIntervalMs, clock, log, timeoutMs, updateIntervalMs } = options;
  let busyMs = busyTimeoutMs;
  const file = await FollowedFile.open(
    () => openHosts(options, busyMs),
    (path) =>
      log.error(
        `Name resolution: ${path} was deleted, or another file put in its place; what is there now is used from here on.`,
      ),
  );

  const registrationId = randomUUID();
  /** Whether an address did not answer, since its row was last seen alive. */
  const silent = new Recent<boolean>(MAX_SILENT);
  const aliveSeconds = Math.floor(updateIntervalMs / 1000);
  const timers: { close(): void }[] = [];

  const addressesOf = (appId: string): readonly string[] => {
    const rows = file.current.known.all(appId, aliveSeconds * (1 + LIVES_OF_GRACE));
    const alive = rows.filter(({ age }) => Number(age) < aliveSeconds).map(addressOf);
    for (const address of alive) silent.put(address, false);
    if (alive.length > 0) return alive;
    return rows.map(addressOf).filter((address) => silent.get(address) !== true);
  };
  const patiently = <T>(work: () => T): Promise<T> =>
    whileBusy(work, Math.min(timeoutMs, busyTimeoutMs), clock);

  return {
    async register({ appId, host, port }: Registration) {
      const address = `${host}:${port}`;
      const { database, insert } = file.current;
      await patiently(() => insert.run(registrationId, address, appId));
      busyMs = Math.min(busyMs, RENEWAL_BUSY_MS);
      database.exec(`PRAGMA busy_timeout = ${busyMs}`);
      const renew = async () => {
        await file.look();
        const { database, insert, renew } = file.current;
        // Closed while it looked.
        if (!database.isOpen || renew.run(registrationId, address).changes !== 0) return;
        // Somebody took the row, a sidecar that reused our port before we did, or a cleaner; or it is another file.
        insert.run(registrationId, address, appId);
      };
      const clean = async () => void file.current.clean.run(aliveSeconds);
      const often = updateIntervalMs / RENEWALS_IN_LIFE;
      timers.push(every(often, clock, () => guarded(log, 'renew', renew)));
      if (cleanupIntervalMs > 0) {
        timers.push(every(cleanupIntervalMs, clock, () => guarded(log, 'clean', clean)));
      }
    },
    resolve(appId) {
      try {
        return addressesOf(appId);
      } catch (error) {
        if (!isBusy(error)) throw error;
        return patiently(() => addressesOf(appId));
      }
    },
    unreachable: (_appId, address) => silent.set(address, true),
    notFound: () => 'no host found with the given ID',
    async close() {
      for (const timer of timers) timer.close();
      const { database, remove } = file.current;
      if (!database.isOpen) return;
      await guarded(log, 'remove', async () => void remove.run(registrationId));
      file.close();
    },
  };
}

type HostsOptions = Required<
  Pick<SqliteNamesOptions, 'clock' | 'metadataTableName' | 'path' | 'pragmas' | 'tableName'>
> &
  Pick<SqliteNamesOptions, 'journal'>;

async function openHosts(options: HostsOptions, busyMs: number) {
  const { clock, journal, path, pragmas, tableName } = options;
  const database = await openSharedFile(path, busyMs, clock, (file) => {
    if (journal !== undefined) {
      file.exec(`PRAGMA journal_mode = ${journal}; PRAGMA synchronous = NORMAL;`);
    }
    for (const pragma of pragmas) file.exec(`PRAGMA ${pragma}`);
    createTables(file, options);
  });
  return { database, ...prepare(database, tableName) };
}

function prepare(database: DatabaseSync, hosts: string) {
  const now = 'unixepoch(CURRENT_TIMESTAMP)';
  return {
    known: database.prepare(
      `SELECT address, ${now} - last_update AS age FROM ${hosts} WHERE app_id = ? AND ${now} - last_update < ? ORDER BY last_update DESC`,
    ),
    insert: database.prepare(
      `REPLACE INTO ${hosts} (registration_id, address, app_id, namespace, last_update) VALUES (?, ?, ?, '', ${now})`,
    ),
    renew: database.prepare(
      `UPDATE ${hosts} SET last_update = ${now} WHERE registration_id = ? AND address = ?`,
    ),
    remove: database.prepare(`DELETE FROM ${hosts} WHERE registration_id = ?`),
    clean: database.prepare(`DELETE FROM ${hosts} WHERE ${now} - last_update > ?`),
  };
}

const addressOf = (row: Readonly<Record<string, unknown>>): string => String(row.address);

interface Tables {
  readonly tableName: string;
  readonly metadataTableName: string;
}

/** The schema Dapr's migration makes, with the mark that it was made, so that neither side makes it twice. */
function createTables(
  db: { exec(sql: string): void },
  { tableName, metadataTableName }: Tables,
): void {
  db.exec(`BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS ${metadataTableName} (key text NOT NULL PRIMARY KEY, value text NOT NULL);
    CREATE TABLE IF NOT EXISTS ${tableName} (
      registration_id TEXT NOT NULL PRIMARY KEY,
      address TEXT NOT NULL,
      app_id TEXT NOT NULL,
      namespace TEXT NOT NULL,
      last_update INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX IF NOT EXISTS ${tableName}_address_idx ON ${tableName} (address);
    CREATE INDEX IF NOT EXISTS ${tableName}_last_update_idx ON ${tableName} (last_update);
    INSERT OR IGNORE INTO ${metadataTableName} (key, value) VALUES ('nr-migrations', '1');
    COMMIT;`);
}

/** In daprd's words, as far as they go; a digit at the beginning is no name to SQLite. */
function checkTableName(which: string, name: string): void {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return;
  throw new RangeError(
    `invalid identifier for ${which}: ${name}; it must be letters, digits and _, and begin with no digit.`,
  );
}

/** A busy or broken file costs one renewal, not the sidecar. */
async function guarded(log: Logger, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.warn(`Name resolution could not ${what} its registration.`, { error: String(error) });
  }
}
