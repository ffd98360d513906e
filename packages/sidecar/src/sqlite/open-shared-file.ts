import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@holdfast/core';
import { isBusy } from './while-busy.ts';

/** A new file that many open at once is theirs in turn, each for a moment. */
const PATIENCE_MS = 5_000;
const PAUSE_MS = 20;

/**
 * Opens a file that other sidecars, Dapr's among them, may be opening as well.
 * SQLite does not wait for a lock while it turns a file to WAL, whatever its
 * timeout: this repeats `prepare` until it can, for 5 s at most.
 *
 * @param timeoutMs how long a statement waits for a lock once the file is open; the event loop waits with it
 * @param prepare makes tables; may be called again, so it must not mind those that are there
 * @throws Error of SQLite; the file is closed then
 */
export async function openSharedFile(
  path: string,
  timeoutMs: number,
  clock: Clock,
  prepare: (file: DatabaseSync) => void,
): Promise<DatabaseSync> {
  // Loaded when it is asked for: the engine takes memory that others need not pay.
  const sqlite = await import('node:sqlite');
  const file = open(sqlite, path, timeoutMs);
  const giveUpAtMs = clock.now() + PATIENCE_MS;
  for (;;) {
    try {
      prepare(file);
      return file;
    } catch (error) {
      if (!isBusy(error) || clock.now() >= giveUpAtMs) {
        file.close();
        throw error;
      }
      await clock.sleep(PAUSE_MS);
    }
  }
}

/** SQLite says which rule was broken, and never of which file. */
function open(sqlite: typeof import('node:sqlite'), path: string, timeoutMs: number): DatabaseSync {
  try {
    return new sqlite.DatabaseSync(path, { timeout: timeoutMs });
  } catch (error) {
    const file = path.replace(/^file:([^?]*).*/, '$1');
    throw new Error(
      `${(error as Error).message} ${file} (its folder must be there, and this user must be able to write to it)`,
      { cause: error },
    );
  }
}
