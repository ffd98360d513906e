import { randomUUID } from 'node:crypto';
import { type Clock, systemClock, type Timer } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { openSharedFile } from '../sqlite/open-shared-file.ts';
import type { NameResolver, Registration } from './name-resolver.ts';

export interface SqliteNamesOptions {
  /** File all sidecars share; Dapr's own may be among them. */
  readonly path: string;
  /** @default 'hosts' */
  readonly tableName?: string;
  /** @default 'metadata' */
  readonly metadataTableName?: string;
  /** How often the registration is renewed; one that is older counts as dead. @default 5_000 ms */
  readonly updateIntervalMs?: number;
  /** How often dead registrations of others are removed. @default 3_600_000 ms */
  readonly cleanupIntervalMs?: number;
  /** Longest wait for another process's lock. @default 800 ms */
  readonly busyTimeoutMs?: number;
  readonly clock?: Clock;
  readonly log: Logger;
}

export const SQLITE_NAMES_DEFAULTS = {
  tableName: 'hosts',
  metadataTableName: 'metadata',
  updateIntervalMs: 5_000,
  cleanupIntervalMs: 3_600_000,
  busyTimeoutMs: 800,
} as const;

/** Leeway before its end in which a registration is renewed, as Dapr's resolver has it. */
const RENEW_EARLY_MS = 1_000;

/**
 * Name resolution through a file, with the table and the rules of Dapr's
 * `nameresolution.sqlite`, so that both kinds of sidecar can share it. As
 * there, namespaces are not told apart.
 */
export async function sqliteNames(given: SqliteNamesOptions): Promise<NameResolver> {
  const options = { ...SQLITE_NAMES_DEFAULTS, clock: systemClock, ...given };
  checkTableName(options.tableName);
  checkTableName(options.metadataTableName);
  const db = await openSharedFile(options.path, options.busyTimeoutMs, options.clock, (file) => {
    file.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    createTables(file, options);
  });

  const hosts = options.tableName;
  const now = 'unixepoch(CURRENT_TIMESTAMP)';
  const alive = db.prepare(
    `SELECT address FROM ${hosts} WHERE app_id = ? AND ${now} - last_update < ? ORDER BY last_update DESC`,
  );
  const insert = db.prepare(
    `REPLACE INTO ${hosts} (registration_id, address, app_id, namespace, last_update) VALUES (?, ?, ?, '', ${now})`,
  );
  const renew = db.prepare(
    `UPDATE ${hosts} SET last_update = ${now} WHERE registration_id = ? AND address = ?`,
  );
  const remove = db.prepare(`DELETE FROM ${hosts} WHERE registration_id = ?`);
  const clean = db.prepare(`DELETE FROM ${hosts} WHERE ${now} - last_update > ?`);

  const registrationId = randomUUID();
  const aliveSeconds = Math.floor(options.updateIntervalMs / 1000);
  let mine: { readonly address: string; readonly appId: string } | undefined;
  let renewal: Timer | undefined;
  let cleanup: Timer | undefined;

  const keepAlive = (): void => {
    renewal = options.clock.timer(options.updateIntervalMs - RENEW_EARLY_MS, () => {
      keepAlive();
      if (mine === undefined) return;
      guarded(options.log, 'renew', () => {
        if (renew.run(registrationId, mine!.address).changes === 0) {
          // Somebody took the row: a sidecar that reused our port before we did, or a cleaner.
          insert.run(registrationId, mine!.address, mine!.appId);
        }
      });
    });
  };
  const keepClean = (): void => {
    cleanup = options.clock.timer(options.cleanupIntervalMs, () => {
      keepClean();
      guarded(options.log, 'clean', () => clean.run(aliveSeconds));
    });
  };

  return {
    async register({ appId, host, port }: Registration) {
      mine = { appId, address: `${host}:${port}` };
      insert.run(registrationId, mine.address, appId);
      keepAlive();
      keepClean();
    },
    resolve: (appId) => alive.all(appId, aliveSeconds).map((row) => String(row.address)),
    unreachable() {},
    notFound: () => 'no host found with the given ID',
    async close() {
      renewal?.cancel();
      cleanup?.cancel();
      if (!db.isOpen) return;
      guarded(options.log, 'remove', () => remove.run(registrationId));
      db.close();
    },
  };
}

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

function checkTableName(name: string): void {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return;
  throw new RangeError(
    `nameResolution.configuration.tableName must be a plain SQL name, not "${name}".`,
  );
}

/** A busy or broken file costs one renewal, not the sidecar. */
function guarded(log: Logger, what: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    log.warn(`Name resolution could not ${what} its registration.`, { error: String(error) });
  }
}
