import { checkInteger } from '../check.ts';
import { checkOut, giveBack, hearIdle } from './check-out.ts';
import { migrate } from './migrate.ts';
import type { PostgresClient, PostgresPool } from './module.ts';
import { checkSchemaName } from './options.ts';

export interface PostgresInboxOptions {
  /** A `Pool` of the database your effects go to: the mark and the effect must commit together. */
  readonly pool: PostgresPool;
  /** The database schema that holds its table; made when missing. @default 'holdfast_inbox' */
  readonly schema?: string;
  /** How many ids are remembered. A message delivered again later than that has its effect twice. @default 1_000_000 (1 …) */
  readonly remember?: number;
}

/** Makes an effect happen once although messages are delivered at least once. */
export interface PostgresInbox {
  /**
   * Runs `effect` in a transaction together with a mark for `id`; false, and nothing is run, when the
   * mark is there. `effect` must write by the client it is given. Of two that handle one id at once the
   * second waits for the first. When it rejects neither mark nor effect is left.
   */
  once(id: string, effect: (client: PostgresClient) => Promise<void>): Promise<boolean>;

  /** The same in a transaction of yours: marks `id`, and says whether the effect is still to be made. */
  mark(client: PostgresClient, id: string): Promise<boolean>;
}

/** Marks beyond what is remembered are deleted after so many new ones of this process. */
const TRIM_AFTER = 1_000;

/** An inbox in the caller's own PostgreSQL database. */
export async function postgresInbox(given: PostgresInboxOptions): Promise<PostgresInbox> {
  const { pool, schema, remember } = { schema: 'holdfast_inbox', remember: 1_000_000, ...given };
  checkSchemaName('postgresInbox.schema', schema);
  checkInteger('postgresInbox.remember', remember, 1, Number.MAX_SAFE_INTEGER);
  let marks = 0;
  hearIdle(pool);

  const connected = async <T>(work: (client: PostgresClient) => Promise<T>): Promise<T> => {
    const client = await checkOut(pool);
    let broken = true;
    try {
      const value = await work(client);
      broken = false;
      return value;
    } finally {
      giveBack(client, broken);
    }
  };
  const mark = async (client: PostgresClient, id: string): Promise<boolean> => {
    const { rows } = await client.query(
      `INSERT INTO ${schema}.mark (id) VALUES ($1) ON CONFLICT (id) DO NOTHING RETURNING 1`,
      [id],
    );
    return rows.length === 1;
  };
  const trim = async (client: PostgresClient): Promise<void> => {
    if (++marks < Math.min(TRIM_AFTER, remember)) return;
    marks = 0;
    await client.query(
      `DELETE FROM ${schema}.mark WHERE seq <= (SELECT max(seq) FROM ${schema}.mark) - $1::bigint`,
      [remember],
    );
  };

  const problem = await connected((client) => migrate(client, schema, [tables(schema)]));
  if (problem !== undefined) throw new Error(`The inbox schema "${schema}" ${problem}`);
  return {
    mark,
    once: (id, effect) =>
      connected(async (client) => {
        await client.query('BEGIN');
        try {
          const fresh = await mark(client, id);
          if (fresh) {
            await effect(client);
            await trim(client);
          }
          await client.query('COMMIT');
          return fresh;
        } catch (error) {
          await client.query('ROLLBACK').catch(() => {});
          throw error;
        }
      }),
  };
}

const tables = (schema: string) => `
  CREATE TABLE ${schema}.mark (
    seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    id text PRIMARY KEY
  );`;
