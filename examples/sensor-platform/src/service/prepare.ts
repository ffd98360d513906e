import { pipeline, retry } from '@holdfast/core';
import { type Database, DatabaseUnavailableError } from './database.ts';

/**
 * Does in the background what a service needs to have done once, such as its
 * tables, again and again until it works: a service whose database is down
 * starts all the same, and is whole as soon as the database is.
 */
export function prepareUntilDone(
  name: string,
  work: () => Promise<void>,
): { readonly done: Promise<void>; stop(): void } {
  const stopping = new AbortController();
  const calls = pipeline(name, [retry({ maxRetries: Infinity, delayMs: 100, maxDelayMs: 500 })]);
  const done = calls.execute(work, { signal: stopping.signal });
  done.catch(() => {}); // stopped before it was done
  return { done, stop: () => stopping.abort() };
}

/** The same database, which counts as unavailable until what was to be prepared is there. */
export function oncePrepared(database: Database, done: Promise<void>): Database {
  let prepared = false;
  done.then(
    () => {
      prepared = true;
    },
    () => {}, // stopped before it was done
  );
  const onceDone: Database = {
    ...database,
    async query(text, values) {
      if (prepared) return database.query(text, values);
      throw new DatabaseUnavailableError(undefined, new Error('Its tables are not there yet.'));
    },
    async ping() {
      await onceDone.query('SELECT 1');
    },
  };
  return onceDone;
}
