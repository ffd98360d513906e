import { closeSync, fsyncSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

const CHUNK_BYTES = 1_048_576;

/**
 * Writes the log of a file that was just opened once more, and flushes it.
 *
 * After a flush that failed, Linux takes what it could not write for written: it is read as if it were
 * there, the next flush says nothing of it, and it is gone at a power cut. A transaction that was
 * refused for such a flush, and whose process then ended, is in the log for whoever opens it next; all
 * that is accepted after it would hang on what is not on the disk. Nobody else may write meanwhile,
 * which a transaction of ours sees to. Where another process has the file open and is writing, it has
 * done this when it opened it.
 */
export function rewriteLog(database: DatabaseSync, path: string): void {
  const log = `${path}-wal`;
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
  if (!begin(database)) return;
  try {
    const file = openSync(log, 'r+');
    try {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      for (let at = 0; ; ) {
        const bytes = readSync(file, chunk, 0, CHUNK_BYTES, at);
        if (bytes === 0) break;
        writeSync(file, chunk, 0, bytes, at);
        at += bytes;
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } finally {
    database.exec('ROLLBACK');
  }
}

/** False where another process is writing, or nobody can. */
function begin(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN IMMEDIATE');
    return true;
  } catch (error) {
    const { errcode = 0 } = error as { readonly errcode?: number };
    if (HARMLESS.has(errcode & 0xff)) return false;
    throw error;
  }
}

/** `SQLITE_BUSY`, `SQLITE_READONLY` */
const HARMLESS = new Set([5, 8]);
