import type { DatabaseSync } from 'node:sqlite';

interface Waiting {
  readonly work: () => void;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Writes of one turn of the event loop as one transaction: one flush serves them all, and a disk has some hundreds
 * of these a second. Each is done or not done for itself.
 */
export class SharedCommits {
  readonly #inTurn: <T>(work: (database: DatabaseSync) => T) => Promise<T>;
  #waiting: Waiting[] = [];

  /** `inTurn` does what it is given, again while another process writes. */
  constructor(inTurn: <T>(work: (database: DatabaseSync) => T) => Promise<T>) {
    this.#inTurn = inTurn;
  }

  /** Resolves when it is on disk. `work` may be done again from its beginning, and leaves nothing behind if it throws. */
  write(work: () => void): Promise<void> {
    return new Promise((done, failed) => {
      if (this.#waiting.push({ work, done, failed }) === 1) setImmediate(commit, this);
    });
  }

  /** @internal */
  async commit(): Promise<void> {
    const all = this.#waiting;
    this.#waiting = [];
    try {
      const works = all.map(({ work }) => work);
      const failures = await this.#inTurn((database) => together(database, works));
      for (const [at, { done, failed }] of all.entries()) {
        if (failures.has(at)) failed(failures.get(at));
        else done();
      }
    } catch (error) {
      for (const { failed } of all) failed(error);
    }
  }
}

function commit(commits: SharedCommits): void {
  void commits.commit();
}

/** Those that failed, by their place. @throws what concerns them all: nothing was done then */
function together(
  database: DatabaseSync,
  works: readonly (() => void)[],
): ReadonlyMap<number, unknown> {
  const failures = new Map<number, unknown>();
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const [at, work] of works.entries()) {
      database.exec('SAVEPOINT one');
      try {
        work();
      } catch (error) {
        // A full disk, for one, ends the whole transaction.
        if (!database.isTransaction) throw error;
        database.exec('ROLLBACK TO one');
        failures.set(at, error);
      }
      database.exec('RELEASE one');
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
  return failures;
}
