import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { MessageStore } from '@holdfast/messaging';
import { FlagError } from '../flags/flag.ts';

/** As commander hands them over: texts, or absent. */
export interface StoreOptions {
  /** A file, or the address of a PostgreSQL database. */
  readonly store: string;
  readonly schema?: string;
  /** A file with the keys of an encrypted outbox. */
  readonly keyFile?: string;
}

export interface OpenedStore {
  readonly store: MessageStore;
  /** As it may be said to people: without a password. */
  readonly name: string;
  /** After the store was closed. */
  end(): Promise<void>;
}

/** The service that writes the file holds it for a moment now and then. */
const BUSY_MS = 5_000;

/** Opens what `--store` names, an outbox that is there: a new one is never made. */
export async function openStore(cwd: string, options: StoreOptions): Promise<OpenedStore> {
  const { keyFile } = options;
  const keys = keyFile === undefined ? undefined : await keysIn(cwd, keyFile);
  const opened = /^postgres(?:ql)?:\/\//.test(options.store)
    ? await openPostgres(options.store, options.schema ?? 'holdfast')
    : await openSqlite(cwd, options);
  if (keys === undefined) return opened;
  const { encryptedStore } = await import('@holdfast/messaging/encrypted');
  return { ...opened, store: encryptedStore(opened.store, { keys }) };
}

async function keysIn(cwd: string, file: string) {
  const { keysFromText } = await import('@holdfast/messaging/encrypted');
  const text = await readFile(path.resolve(cwd, file), 'utf8').catch((error: Error) => {
    throw new FlagError(
      `--key-file ${file}: ${error.message}. It is the file with the keys that the service gives to encryptedStore.`,
    );
  });
  try {
    return keysFromText(`--key-file ${file}`, text);
  } catch (error) {
    throw new FlagError((error as Error).message);
  }
}

async function openSqlite(
  cwd: string,
  { store: file, schema }: StoreOptions,
): Promise<OpenedStore> {
  if (schema !== undefined) {
    throw new FlagError('--schema is for a --store postgres://…; a file has none.');
  }
  const absolute = path.resolve(cwd, file);
  // An empty file would be made an outbox, and a mistyped name be believed to have no dead letters.
  const found = statSync(absolute, { throwIfNoEntry: false });
  const wrong =
    found === undefined
      ? 'there is no such file'
      : !found.isFile()
        ? 'that is no file'
        : found.size === 0
          ? 'that file is empty'
          : undefined;
  if (wrong !== undefined) {
    throw new FlagError(
      `--store ${file}: ${wrong}. It is the one that the service gives to sqliteStore({ path }).`,
    );
  }
  const { sqliteStore } = await import('@holdfast/messaging/sqlite');
  const store = sqliteStore({ path: absolute, busyTimeoutMs: BUSY_MS });
  await store.open();
  return { store, name: file, end: async () => {} };
}

async function openPostgres(url: string, schema: string): Promise<OpenedStore> {
  const name = withoutPassword(url);
  if (!/^[a-z_][a-z0-9_]{0,39}$/.test(schema)) {
    throw new FlagError(
      `--schema must be up to 40 lower-case letters, digits and "_", as the service gives it to postgresStore({ schema }), not "${schema}".`,
    );
  }
  const { default: pg } = await import('pg');
  const { postgresStore } = await import('@holdfast/messaging/postgres');
  const pool = new pg.Pool({ connectionString: url, max: 2, connectionTimeoutMillis: 10_000 });
  try {
    const { rows } = await pool
      .query('SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = $2', [
        schema,
        'message',
      ])
      .catch((error: Error & { readonly code?: string }) => {
        throw new Error(`--store ${name} cannot be used: ${error.message || error.code}`);
      });
    if (rows.length === 0) {
      throw new FlagError(
        `--store ${name}: there is no outbox in its schema "${schema}". --schema is the one that the service gives to postgresStore({ schema }).`,
      );
    }
    const store = postgresStore({ pool, schema, listen: false });
    await store.open();
    return { store, name, end: () => pool.end() };
  } catch (error) {
    await pool.end();
    throw error;
  }
}

function withoutPassword(text: string): string {
  if (!URL.canParse(text)) {
    throw new FlagError('--store must be a file, or postgres://USER@HOST:PORT/DATABASE.');
  }
  const url = new URL(text);
  url.password = '';
  url.search = '';
  return url.href;
}
