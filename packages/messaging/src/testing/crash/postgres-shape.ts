import type { Pool } from 'pg';
import { postgresInbox } from '../../postgres/index.ts';
import { allSteps } from '../../postgres/tables.ts';
import { postgresBroker } from '../../postgres-broker/index.ts';
import { oldPostgresSchema } from './old-postgres-schema.ts';

/** What schemas of each version are made of, a text each: the outbox's by version, the broker's and the inbox's. */
export interface PostgresShapes {
  readonly outbox: readonly string[];
  readonly broker: readonly string[];
  readonly inbox: readonly string[];
}

/** As they are when nobody is killed. */
export async function postgresShapes(pool: Pool): Promise<PostgresShapes> {
  const outbox: string[] = [];
  const client = await pool.connect();
  for (let version = 0; version <= allSteps('').length; version += 1) {
    await oldPostgresSchema(client, `shape_${version}`, version);
    outbox.push((await shapeOf(pool, `shape_${version}`)).rest);
  }
  client.release();
  const none = await shapeOf(pool, 'shape_none');
  await postgresBroker({ pool, schema: 'shape_broker' }).open();
  await postgresInbox({ pool, schema: 'shape_inbox' });
  return {
    outbox,
    broker: [none.broker, (await shapeOf(pool, 'shape_broker')).broker],
    inbox: [none.rest, (await shapeOf(pool, 'shape_inbox')).rest],
  };
}

/** Of which version an outbox's schema is; or what is wrong with it, the broker beside it or its inbox. */
export async function wholeVersion(
  pool: Pool,
  shapes: PostgresShapes,
  schema: string,
): Promise<number | string> {
  const found = await shapeOf(pool, schema);
  const version = await versionOf(pool, schema, 'version');
  const broker = await versionOf(pool, schema, 'broker_version');
  const inbox = await versionOf(pool, `${schema}_inbox`, 'version');
  if (found.rest !== shapes.outbox[version]) return `${schema} is not what version ${version} is`;
  if (found.broker !== shapes.broker[broker]) return `the broker in ${schema} is not whole`;
  const { rest } = await shapeOf(pool, `${schema}_inbox`);
  if (rest !== shapes.inbox[inbox]) return `the inbox beside ${schema} is not whole`;
  return version;
}

async function shapeOf(pool: Pool, schema: string) {
  const { rows } = await pool.query(
    `SELECT concat_ws(' ', 'column', table_name, column_name, data_type, is_nullable) AS part
       FROM information_schema.columns WHERE table_schema = $1
     UNION ALL SELECT 'index ' || replace(indexdef, $1, '') FROM pg_indexes WHERE schemaname = $1
     UNION ALL SELECT 'sequence ' || sequencename FROM pg_sequences WHERE schemaname = $1
     UNION ALL SELECT concat_ws(' ', 'function', p.proname, pg_get_function_identity_arguments(p.oid),
         md5(replace(p.prosrc, $1, '')))
       FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = $1
     ORDER BY 1`,
    [schema],
  );
  const parts = rows.map(({ part }) => String(part));
  const isBrokers = (part: string) => part.includes('broker_');
  return {
    broker: parts.filter(isBrokers).join('\n'),
    rest: parts.filter((part) => !isBrokers(part)).join('\n'),
  };
}

/** What its table says; 0 where there is none, and none of all where it does not say one thing. */
async function versionOf(pool: Pool, schema: string, table: string): Promise<number> {
  const { rows } = await pool.query('SELECT to_regclass($1) AS found', [`${schema}.${table}`]);
  if (rows[0].found === null) return 0;
  const versions = await pool.query(`SELECT version FROM ${schema}.${table}`);
  return versions.rows.length === 1 ? versions.rows[0].version : Number.NaN;
}
