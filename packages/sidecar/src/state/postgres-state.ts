import type { ComponentSettings } from '../components/component-settings.ts';
import { durationSetting } from '../components/duration-setting.ts';
import type { ComponentsEnv } from '../components/open-components.ts';
import { againWhereUndone } from '../postgres/again-where-undone.ts';
import { migrate } from '../postgres/postgres-migrations.ts';
import { openPostgres, type Query } from '../postgres/postgres-pool.ts';
import { sweepExpired } from '../postgres/sweep.ts';
import { layoutV1, layoutV2, type PostgresLayout } from './postgres-layout.ts';
import { skippedBy } from './query/parse-query.ts';
import { postgresQuery } from './query/postgres-query.ts';
import { EtagMismatchError, type StateOperation, type StateStore } from './state-store.ts';
import { sqlTtl } from './ttl.ts';
import { writeEach } from './write-each.ts';

const SWEEP_EVERY_MS = 3_600_000;

/**
 * `state.postgresql`, in Dapr's tables, so that sidecars of both makes can share
 * a database. Moments are the database's.
 *
 * @throws Error for metadata that cannot be, and for a database that cannot be reached or altered.
 */
export async function postgresState(
  settings: ComponentSettings,
  env: Pick<ComponentsEnv, 'clock' | 'log'>,
  version: 'v1' | 'v2',
): Promise<StateStore> {
  const layout = version === 'v1' ? layoutV1(settings) : layoutV2(settings);
  const intervalMs =
    durationSetting(settings, 'cleanupInterval', 'cleanupIntervalInSeconds') ?? SWEEP_EVERY_MS;
  const pool = await openPostgres(settings, env);
  try {
    await migrate(pool, env.clock, {
      metadataTable: layout.metadataTable,
      key: layout.migrationsKey,
      steps: layout.migrations,
    });
  } catch (error) {
    await pool.close();
    throw error;
  }
  const { component } = settings;
  const sweep =
    intervalMs <= 0
      ? undefined
      : sweepExpired(pool, { ...env, ...layout, component, intervalMs, key: layout.sweepKey });

  return {
    capabilities: [
      'ETAG',
      'TRANSACTIONAL',
      'TTL',
      'KEYS_LIKE',
      ...(layout.query ? ['QUERY_API'] : []),
    ],
    readTtl: sqlTtl,
    overlooksOptionsOf: ['delete', 'transacted delete'],
    async get(key, signal) {
      const { rows } = await pool.query(layout.get, [key], signal);
      const row = rows[0];
      if (row === undefined) return undefined;
      return {
        value: storedValue(row.value as string | Buffer, row.isbinary === true),
        etag: String(row.etag),
        expiresAt: row.expires === null ? undefined : String(row.expires),
      };
    },
    async write(operations, atomic, signal) {
      const { clock } = env;
      if (!atomic) {
        await pool.withOne(
          (query) =>
            writeEach(operations, (operation) =>
              againWhereUndone(() => writeOne(query, layout, operation), clock, signal),
            ),
          signal,
        );
        return;
      }
      // One statement is a transaction of its own.
      const within =
        operations.length > 1 ? pool.inTransaction.bind(pool) : pool.withOne.bind(pool);
      const all = async (query: Query) => {
        for (const operation of operations) await writeOne(query, layout, operation);
      };
      await againWhereUndone(() => within(all, signal), clock, signal);
    },
    ...(layout.query === undefined ? {} : { query: queries(pool, layout.query) }),
    async close() {
      await sweep?.close();
      await pool.close();
    },
  };
}

function queries(
  pool: Pick<Awaited<ReturnType<typeof openPostgres>>, 'query'>,
  table: { readonly select: string; readonly live: string },
): NonNullable<StateStore['query']> {
  return async (query, prefix, signal) => {
    const { sql, values } = postgresQuery(query, { ...table, prefix });
    const { rows } = await pool.query(sql, values, signal);
    const items = rows.map((row) => ({
      key: String(row.key),
      value: storedValue(row.value as string, row.isbinary === true),
      etag: String(row.etag),
    }));
    return query.limit > 0
      ? { items, token: String(skippedBy(query.token) + items.length) }
      : { items };
  };
}

async function writeOne(
  query: Query,
  layout: PostgresLayout,
  operation: StateOperation,
): Promise<void> {
  const { key, etag } = operation;
  if (etag !== undefined) layout.checkEtag(etag);
  if (operation.kind === 'delete') {
    if (etag === undefined) await query(layout.remove, [key]);
    else expectOne((await query(layout.removeIf, [key, etag])).count);
    return;
  }
  const { firstWrite, ttlSeconds } = operation;
  const seconds = ttlSeconds === undefined || ttlSeconds <= 0 ? null : ttlSeconds;
  const marks = layout.marksBytes ? [Buffer.isBuffer(operation.value)] : [];
  const values = [key, layout.encode(operation.value), seconds, ...marks];
  if (etag !== undefined) expectOne((await query(layout.replace, [...values, etag])).count);
  else expectOne((await query(firstWrite ? layout.first : layout.set, values)).count);
}

function expectOne(count: number): void {
  if (count !== 1) throw new EtagMismatchError();
}

/** Bytes where Dapr was given bytes; in version 2 a value is nothing else. */
function storedValue(value: string | Buffer, base64: boolean): string | Buffer {
  if (typeof value === 'string' && base64)
    return Buffer.from(JSON.parse(value) as string, 'base64');
  return value;
}
