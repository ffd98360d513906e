import type { DatabaseSync } from 'node:sqlite';

/** Raised with every change of the tables; a file of a newer version is refused, not guessed at. */
export const SCHEMA_VERSION = 1;

/** "HOLB" in ASCII, kept in the file's header: tells a broker's file from any other SQLite file. */
const APPLICATION_ID = 0x48_4f_4c_42;

/**
 * A publication is one row of `message` and, for each group of its topic, one of `delivery`, which
 * its acknowledgement removes; the last one takes the message with it (`waiting` counts them).
 * `owner` is the member that has it in hand until `due_ms`. `total` has one row: counting the
 * messages for each publication would take longer with each.
 */
const TABLES = `
  CREATE TABLE member_group (
    id INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    name TEXT NOT NULL,
    seen_ms INTEGER NOT NULL,
    UNIQUE (topic, name)
  ) STRICT;
  CREATE TABLE message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    topic TEXT NOT NULL,
    key TEXT,
    headers TEXT NOT NULL,
    body BLOB NOT NULL,
    expires_ms INTEGER,
    waiting INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX message_expires ON message (expires_ms) WHERE expires_ms IS NOT NULL;
  CREATE TABLE delivery (
    group_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    owner TEXT,
    due_ms INTEGER NOT NULL DEFAULT 0,
    deliveries INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (group_id, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX delivery_held ON delivery (group_id, owner, due_ms) WHERE owner IS NOT NULL;
  CREATE TABLE total (one INTEGER PRIMARY KEY CHECK (one = 1), messages INTEGER NOT NULL) STRICT;
  INSERT INTO total VALUES (1, 0);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Makes the tables in an empty file. Returns why a file cannot be used, or undefined if it can. */
export function prepareTables(database: DatabaseSync): string | undefined {
  if (stateOf(database) === 'ready') return undefined;
  // Another process may be making them: what counts is what is there once the lock is ours.
  database.exec('BEGIN IMMEDIATE');
  try {
    const state = stateOf(database);
    if (state === 'empty') database.exec(TABLES);
    database.exec('COMMIT');
    return state === 'empty' || state === 'ready' ? undefined : state.problem;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function stateOf(database: DatabaseSync): 'empty' | 'ready' | { readonly problem: string } {
  const version = pragma(database, 'user_version');
  if (pragma(database, 'application_id') === APPLICATION_ID) {
    if (version === SCHEMA_VERSION) return 'ready';
    return {
      problem: `was written by a newer Holdfast (schema ${version}, this one knows ${SCHEMA_VERSION}). Upgrade this process, or give it another file.`,
    };
  }
  const { tables } = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as {
    tables: number;
  };
  if (tables === 0 && version === 0) return 'empty';
  return {
    problem: 'is the database of another application. Give the broker a file of its own.',
  };
}

function pragma(database: DatabaseSync, name: string): number {
  const row = database.prepare(`PRAGMA ${name}`).get() as Record<string, number>;
  return row[name] ?? 0;
}
