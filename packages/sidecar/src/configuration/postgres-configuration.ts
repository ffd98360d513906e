import type { ComponentSettings } from '../components/component-settings.ts';
import type { ComponentsEnv } from '../components/open-components.ts';
import { openPostgres, type PostgresPool } from '../postgres/postgres-pool.ts';
import type { ConfigurationItems, ConfigurationStore } from './configuration-store.ts';
import { ChannelWatch } from './postgres-channel-watch.ts';
import { itemsOf } from './postgres-rows.ts';

const LONGEST_NAME = 64;
const TABLE = /^[a-z0-9./_]*$/;
const CHANNEL = /^[a-z_][a-z0-9_]*$/;
const KEY = /^[a-zA-Z0-9./_]*$/;

/**
 * `configuration.postgresql`: a table with `key`, `value`, `version` and
 * `metadata`, which somebody else has made and writes. Changes come as
 * notifications that a trigger of the table sends, the row in `data`.
 *
 * @throws Error for metadata that cannot be, or a database without that table.
 */
export async function postgresConfiguration(
  settings: ComponentSettings,
  env: Pick<ComponentsEnv, 'clock' | 'log'>,
): Promise<ConfigurationStore> {
  const { component } = settings;
  const table = tableOf(settings.text('table'));
  const ownChannel = settings.text('notifyChannel') ?? settings.text('pgNotifyChannel');
  if (ownChannel !== undefined) checkChannel(ownChannel);
  const pool = await openPostgres(settings, env).catch((error: Error) => {
    throw new Error(`error connecting to configuration store: '${error.message}'`);
  });
  await checkTable(pool, table).catch(async (error: unknown) => {
    await pool.close();
    throw error;
  });
  const read = async (
    keys: readonly string[],
    signal?: AbortSignal,
  ): Promise<ConfigurationItems> => {
    const columns = `SELECT key, value, version, metadata FROM ${table}`;
    const { rows } =
      keys.length === 0
        ? await pool.query(columns, [], signal)
        : await pool.query(`${columns} WHERE key = ANY($1)`, [keys], signal);
    return itemsOf(rows);
  };
  const watching = new ChannelWatch({ component, pool, read, clock: env.clock, log: env.log });

  return {
    async get(keys, signal) {
      const odd = keys.find((key) => !KEY.test(key));
      if (odd !== undefined) throw new Error(`invalid key : '${odd}'`);
      return await read(keys, signal).catch((error: Error) => {
        if (signal?.aborted) throw error;
        throw new Error(`error in querying configuration store: '${error.message}'`);
      });
    },
    async subscribe(keys, changed, signal, metadata = {}) {
      const channel = ownChannel ?? channelIn(metadata);
      if (channel === undefined) {
        throw new Error(
          `unable to subscribe to "${table}". notifyChannel must be set in component metadata or request metadata`,
        );
      }
      checkChannel(channel);
      await watching.add({ channel, keys }, changed, signal);
    },
    missing: (id) => `unable to find subscription with ID : ${id}`,
    async close() {
      await watching.close();
      await pool.close();
    },
  };
}

async function checkTable(pool: PostgresPool, table: string): Promise<void> {
  const exists = 'SELECT 1 FROM pg_tables WHERE tablename = $1';
  if ((await pool.query(exists, [table])).count > 0) return;
  throw new Error(`postgreSQL configuration table '${table}' does not exist`);
}

function tableOf(given: string | undefined): string {
  if (given === undefined) throw new Error('missing postgreSQL configuration table name');
  if (given.length > LONGEST_NAME) {
    throw new Error(
      `table name is too long - tableName : '${given}'. max allowed field length is ${LONGEST_NAME}`,
    );
  }
  if (TABLE.test(given)) return given;
  throw new Error(
    `invalid table name '${given}'. non-alphanumerics or upper cased table names are not supported`,
  );
}

/** As clients of Dapr said it before a component could. */
function channelIn(metadata: Readonly<Record<string, string>>): string | undefined {
  for (const [name, value] of Object.entries(metadata)) {
    if (/^(?:pg)?notifyChannel$/i.test(name) && value !== '') return value;
  }
  return undefined;
}

/** It becomes part of a statement. */
function checkChannel(name: string): void {
  if (CHANNEL.test(name) && name.length <= LONGEST_NAME) return;
  throw new Error(
    `invalid notifyChannel name "${name}". non-alphanumerics or upper cased names are not supported`,
  );
}
