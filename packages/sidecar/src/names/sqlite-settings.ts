import type { Logger } from '@holdfast/telemetry/log';
import { componentDuration } from '../components/duration-setting.ts';
import { isTrue } from '../components/is-true.ts';
import { at } from '../resources/resource-files.ts';
import { sqliteLocation } from '../sqlite/sqlite-location.ts';
import { NameResolutionError } from './name-resolution-error.ts';
import type { SqliteNamesOptions } from './sqlite-names.ts';

type Configuration = Readonly<Record<string, unknown>>;

/** What `nameResolution.configuration` of `sqlite` may have, in any letter case. */
export const SQLITE_KEYS = [
  ...['connectionString', 'url', 'timeout', 'timeoutInSeconds', 'busyTimeout', 'disableWAL'],
  ...['tableName', 'metadataTableName', 'updateInterval'],
  ...['cleanupInterval', 'cleanupIntervalInSeconds'],
];

const SECOND_MS = 1_000;

/**
 * Dapr's items of `nameresolution.sqlite`, with its defaults and its rules: an empty duration is none at all.
 *
 * @throws NameResolutionError in daprd's words for what it refuses.
 */
export function sqliteSettings(
  configuration: Configuration,
  log: Logger,
): Omit<SqliteNamesOptions, 'clock' | 'log'> {
  const connection = text(configuration, 'connectionString') ?? text(configuration, 'url') ?? '';
  if (connection === '') {
    throw refused('missing connection string; it must name the file that the sidecars share.');
  }
  const timeoutMs = duration(configuration, 'timeout', 'timeoutInSeconds') ?? SECOND_MS;
  if (timeoutMs < SECOND_MS) throw refused("invalid value for 'timeout': must be greater than 1s");
  const updateIntervalMs = duration(configuration, 'updateInterval') ?? 5 * SECOND_MS;
  if (updateIntervalMs % SECOND_MS !== 0) {
    throw refused('update interval must not contain fractions of seconds');
  }
  if (updateIntervalMs - timeoutMs < SECOND_MS) {
    throw refused('update interval must be at least 1s greater than timeout');
  }
  const cleanupIntervalMs = duration(configuration, 'cleanupInterval', 'cleanupIntervalInSeconds');
  const busyTimeoutMs = duration(configuration, 'busyTimeout');
  const tableName = text(configuration, 'tableName');
  const metadataTableName = text(configuration, 'metadataTableName');
  return {
    ...place(connection, isTrue(text(configuration, 'disableWAL')), log),
    timeoutMs,
    updateIntervalMs,
    ...(tableName === undefined ? {} : { tableName }),
    ...(metadataTableName === undefined ? {} : { metadataTableName }),
    ...(cleanupIntervalMs === undefined ? {} : { cleanupIntervalMs }),
    // With less than nothing there is none.
    ...(busyTimeoutMs === undefined ? {} : { busyTimeoutMs: Math.max(0, busyTimeoutMs) }),
  };
}

function place(connection: string, disableWal: boolean, log: Logger) {
  const { inMemory, pragmas, readOnly, unheeded, uri } = located(connection);
  if (inMemory) {
    log.warn(
      'Configuring name resolution with an in-memory SQLite database. Service invocation across different apps will not work.',
    );
  }
  if (unheeded.length > 0) {
    log.warn(`nameResolution: ${unheeded.join(', ')} of its connection string have no effect.`);
  }
  const journal = disableWal ? ('DELETE' as const) : ('WAL' as const);
  return { path: uri, pragmas, journal: inMemory || readOnly ? undefined : journal };
}

function located(connection: string): ReturnType<typeof sqliteLocation> {
  try {
    return sqliteLocation(connection);
  } catch (error) {
    throw refused((error as Error).message);
  }
}

/** Also a number or a truth, as YAML reads them. */
function text(configuration: Configuration, key: string): string | undefined {
  const value = at(configuration, key);
  return value === undefined || value === null || typeof value === 'object'
    ? undefined
    : String(value);
}

/** Go's `5s` or `1m30s`, or seconds as a bare number; of several names the first that is there. */
function duration(configuration: Configuration, ...keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const value = text(configuration, key);
    if (value === undefined) continue;
    if (value === '') return 0;
    const parsed = componentDuration(value);
    if (!('fault' in parsed)) return parsed.ms;
    throw new NameResolutionError(
      `nameResolution.configuration.${key} must be a duration, such as 5s or 1m30s, not "${value}".`,
    );
  }
  return undefined;
}

const refused = (why: string) =>
  new NameResolutionError(`nameResolution.configuration (sqlite): ${why}`);
