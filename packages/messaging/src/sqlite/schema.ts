import type { DatabaseSync } from 'node:sqlite';
import { DEAD, DELIVERED, QUEUED, SCHEDULED } from '../kept-states.ts';

/** Raised with every change of the tables; a file of a newer version is refused, not guessed at. */
export const SCHEMA_VERSION = 5;

/** "HOLD" in ASCII, kept in the file's header: tells an outbox from any other SQLite file. */
const APPLICATION_ID = 0x48_4f_4c_44;

/**
 * One table for all states, so that one unique index answers "is this id known?".
 *
 * `due_ms` is 0 until a message is first leased; then the moment its lease lapses or its wait
 * ends. The partial index over it holds only what is leased or waits, which is what keeping the
 * order of a key has to look at. `start_ms` is 0 but for a message that is scheduled: it is out of
 * every index that leasing reads, so that a million messages for next year cost nothing today. Only
 * messages with a priority are in the index of it. `total` has one row, changed in the transaction that changes
 * messages: counting a million rows for each `stats()` would block the event loop.
 */
const TABLES = `
  CREATE TABLE message (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    state INTEGER NOT NULL DEFAULT ${QUEUED},
    topic TEXT NOT NULL,
    key TEXT,
    headers TEXT NOT NULL,
    body BLOB NOT NULL,
    bytes INTEGER NOT NULL,
    accepted_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL DEFAULT 0,
    lease TEXT,
    deliveries INTEGER NOT NULL DEFAULT 0,
    replays INTEGER NOT NULL DEFAULT 0,
    died_ms INTEGER,
    reason TEXT,
    history TEXT
  ) STRICT;
  CREATE INDEX message_queued ON message (seq) WHERE state = ${QUEUED};
  CREATE INDEX message_held ON message (topic, key, seq) WHERE state = ${QUEUED} AND due_ms > 0;
  CREATE INDEX message_delivered ON message (seq) WHERE state = ${DELIVERED};
  CREATE INDEX message_dead ON message (seq) WHERE state = ${DEAD};
  CREATE TABLE total (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    queued INTEGER NOT NULL,
    queued_bytes INTEGER NOT NULL,
    successful INTEGER NOT NULL,
    remembered INTEGER NOT NULL,
    dead INTEGER NOT NULL
  ) STRICT;
  INSERT INTO total VALUES (1, 0, 0, 0, 0, 0);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = 1;
`;

/** What turns a file of version n into one of n + 1, by n. */
const STEPS: Readonly<Record<number, string>> = {
  1: `
    ALTER TABLE message ADD COLUMN start_ms INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE message ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX message_urgent ON message (priority DESC, seq) WHERE state = ${QUEUED} AND priority > 0;
    CREATE INDEX message_scheduled ON message (start_ms, seq) WHERE state = ${SCHEDULED};
    CREATE INDEX message_scheduled_seq ON message (seq) WHERE state = ${SCHEDULED};
    CREATE INDEX message_died ON message (died_ms, seq) WHERE state = ${DEAD};
    PRAGMA user_version = 2;
  `,
  // What is said of a job counts while its lease is the row's: a process of version 2 that still has the
  // file open leases without knowing of these columns.
  2: `
    ALTER TABLE message ADD COLUMN progress TEXT;
    ALTER TABLE message ADD COLUMN progress_of TEXT;
    PRAGMA user_version = 3;
  `,
  3: `
    ALTER TABLE message ADD COLUMN expire_ms INTEGER;
    CREATE TABLE paused (topic TEXT PRIMARY KEY, since_ms INTEGER NOT NULL, until_ms INTEGER) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 4;
  `,
  // A name under which others take its place, and since when they have done so; what is kept of a job's result, and until
  // when. Only such messages are in the indexes.
  4: `
    ALTER TABLE message ADD COLUMN name TEXT;
    ALTER TABLE message ADD COLUMN since_ms INTEGER;
    CREATE INDEX message_named ON message (topic, name) WHERE name IS NOT NULL AND state IN (${QUEUED}, ${SCHEDULED});
    ALTER TABLE message ADD COLUMN result TEXT;
    ALTER TABLE message ADD COLUMN result_until_ms INTEGER;
    CREATE INDEX message_result ON message (result_until_ms) WHERE result_until_ms IS NOT NULL;
    PRAGMA user_version = 5;
  `,
};

/**
 * Makes the tables in an empty file, and brings those of an older version up to date, in one
 * transaction. Returns why a file cannot be used, or undefined if it can.
 */
export function prepareSchema(database: DatabaseSync): string | undefined {
  const problem = problemOf(database);
  if (problem !== undefined || pragma(database, 'user_version') === SCHEMA_VERSION) return problem;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have been faster: what counts is what is there now.
    if (pragma(database, 'user_version') === 0) database.exec(TABLES);
    for (;;) {
      const step = STEPS[pragma(database, 'user_version')];
      if (step === undefined) break;
      database.exec(step);
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
  return problemOf(database);
}

function problemOf(database: DatabaseSync): string | undefined {
  const version = pragma(database, 'user_version');
  const application = pragma(database, 'application_id');
  if (application === APPLICATION_ID) {
    if (version <= SCHEMA_VERSION) return undefined;
    return `was written by a newer Holdfast (schema ${version}, this one knows ${SCHEMA_VERSION}). Upgrade this process, or give it another file.`;
  }
  const { tables } = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as {
    tables: number;
  };
  if (tables > 0 || version !== 0 || application !== 0) {
    return 'is the database of another application. Give the outbox a file of its own.';
  }
  return undefined;
}

function pragma(database: DatabaseSync, name: string): number {
  const row = database.prepare(`PRAGMA ${name}`).get() as Record<string, number>;
  return row[name] ?? 0;
}
