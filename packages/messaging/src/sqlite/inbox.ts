import { checkInteger } from '../check.ts';

/** The methods of `node:sqlite`'s `DatabaseSync` that the inbox calls. */
export interface InboxDatabase {
  exec(sql: string): void;
  prepare(sql: string): {
    run(...values: (string | number)[]): { changes: number | bigint };
  };
  readonly isTransaction: boolean;
}

export interface InboxOptions {
  /** Where the effects go: the mark and the effect must commit together, so it is your database. */
  readonly database: InboxDatabase;
  /** How many ids are remembered. A message delivered again later than that has its effect twice. @default 1_000_000 (1 …) */
  readonly remember?: number;
}

/** Makes an effect happen once although messages are delivered at least once. */
export interface Inbox {
  /**
   * Runs `effect` in a transaction together with a mark for `id`; false, and nothing is run, when
   * the mark is there. `effect` must be synchronous and write to this inbox's database.
   */
  once(id: string, effect: () => void): boolean;
}

/** An inbox in the caller's own SQLite database, in the table `holdfast_inbox`. */
export function sqliteInbox({ database, remember = 1_000_000 }: InboxOptions): Inbox {
  checkInteger('sqliteInbox.remember', remember, 1, Number.MAX_SAFE_INTEGER);
  database.exec(
    'CREATE TABLE IF NOT EXISTS holdfast_inbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE) STRICT',
  );
  const mark = database.prepare(
    'INSERT INTO holdfast_inbox (id) VALUES (?) ON CONFLICT DO NOTHING',
  );
  const trim = database.prepare(
    'DELETE FROM holdfast_inbox WHERE seq <= (SELECT max(seq) FROM holdfast_inbox) - ?',
  );

  return {
    once(id, effect) {
      database.exec('BEGIN IMMEDIATE');
      try {
        const fresh = Number(mark.run(id).changes) === 1;
        if (fresh) {
          effect();
          trim.run(remember);
        }
        database.exec('COMMIT');
        return fresh;
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      }
    },
  };
}
