import type { PostgresClient } from './module.ts';

/**
 * Who changes a table waits until nobody uses it, and meanwhile everybody else waits behind him. A transaction
 * of yours that stays open must not stop all others for longer than this: the change is given up, and tried
 * again with the next call.
 */
const LONGEST_LOCK_MS = 500;

/**
 * Makes or changes the tables, one process at a time, in one transaction. `steps[n]` turns version n
 * into n + 1; `versions` is the table that says which it is. Returns why they cannot be used, or
 * undefined if they can.
 */
export async function migrate(
  client: PostgresClient,
  schema: string,
  steps: readonly string[],
  versions = 'version',
): Promise<string | undefined> {
  // A role that may not make tables can use those that somebody else has made.
  if ((await versionOf(client, schema, versions)) === steps.length) return undefined;
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `holdfast:${schema}`,
    ]);
    const version = await versionOf(client, schema, versions);
    if (version < steps.length) {
      await client.query(`SET LOCAL lock_timeout = ${LONGEST_LOCK_MS}`);
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
      await client.query(
        `CREATE TABLE IF NOT EXISTS ${schema}.${versions} (version integer NOT NULL)`,
      );
      for (const step of steps.slice(version)) await client.query(step);
      await client.query(`DELETE FROM ${schema}.${versions}`);
      await client.query(`INSERT INTO ${schema}.${versions} VALUES (${steps.length})`);
    }
    await client.query('COMMIT');
    if (version <= steps.length) return undefined;
    return `was written by a newer Holdfast (schema ${version}, this one knows ${steps.length}). Upgrade this process, or give it another schema.`;
  } catch (error) {
    // Where this fails as well, the connection is thrown away, and the transaction with it.
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function versionOf(
  client: PostgresClient,
  schema: string,
  versions: string,
): Promise<number> {
  // Not `to_regclass`: it may remember from before the lock that there was no such table.
  const { rows } = await client.query(
    'SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2',
    [schema, versions],
  );
  if (rows.length === 0) return 0;
  const found = await client.query(`SELECT version FROM ${schema}.${versions}`);
  return Number(found.rows[0]?.version ?? 0);
}
