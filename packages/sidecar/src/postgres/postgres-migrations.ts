import type { Clock } from '@holdfast/core';
import type { PostgresPool, Query } from './postgres-pool.ts';

export interface Migrations {
  /** Where the level is kept: the metadata table that Dapr's components share, by this key. */
  readonly metadataTable: string;
  readonly key: string;
  /** In order; how many of them have been made is the level. */
  readonly steps: readonly string[];
}

/** Of two that make one table at once, one may be told that its name or its row type is there already. */
const THERE_ALREADY = /SQLSTATE (?:23505|42710|42P07)/;
const TRIES = 5;
const PAUSE_MS = 50;

/**
 * Brings tables up to date, one sidecar at a time, Dapr's among them: its lock is
 * a row of the metadata table, held by a transaction as long as it takes.
 */
export async function migrate(
  pool: PostgresPool,
  clock: Clock,
  { metadataTable, key, steps }: Migrations,
): Promise<void> {
  await makeMetadataTable(pool, clock, metadataTable);
  await pool.query(
    `INSERT INTO ${metadataTable} (key, value) VALUES ('lock', 'lock') ON CONFLICT (key) DO NOTHING`,
  );
  await pool.inTransaction(async (query: Query) => {
    await query(`SELECT value FROM ${metadataTable} WHERE key = 'lock' FOR UPDATE`);
    const { rows } = await query(`SELECT value FROM ${metadataTable} WHERE key = $1`, [key]);
    const level = Number(rows[0]?.value ?? 0);
    for (const [at, step] of steps.entries()) {
      if (at < level) continue;
      await query(step);
      await query(
        `INSERT INTO ${metadataTable} (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2`,
        [key, String(at + 1)],
      );
    }
  });
}

async function makeMetadataTable(pool: PostgresPool, clock: Clock, table: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await pool.query(
        `CREATE TABLE IF NOT EXISTS ${table} (key text NOT NULL PRIMARY KEY, value text NOT NULL)`,
      );
      return;
    } catch (error) {
      const { message } = error as Error;
      if (tries === TRIES || !THERE_ALREADY.test(message)) {
        throw new Error(`failed to create metadata table: ${message}`, { cause: error });
      }
      await clock.sleep(PAUSE_MS);
    }
  }
}
