import type { MessageStore } from '@holdfast/messaging';
import { postgresStore } from '@holdfast/messaging/postgres';
import { sqliteStore } from '@holdfast/messaging/sqlite';
import { Pool } from 'pg';
import type { Queue } from './queue.ts';

/** Where one of our own queues keeps its events. */
export interface Place {
  readonly engine: Queue['engine'];
  readonly store: MessageStore;
  /** After the store was closed. */
  end(): Promise<void>;
}

export function inSqlite(path: string): Place {
  return { engine: 'SQLite', store: sqliteStore({ path }), end: async () => {} };
}

export function inPostgres(connectionString: string, schema: string): Place {
  const pool = new Pool({ connectionString });
  return { engine: 'PostgreSQL', store: postgresStore({ pool, schema }), end: () => pool.end() };
}
