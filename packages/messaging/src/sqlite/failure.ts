/** SQLite's primary result codes that an operator can do something about. */
const ADVICE: Readonly<Record<number, string>> = {
  5: 'is locked by another process. Find it with `lsof`; it holds a transaction open.',
  6: 'is locked by another connection. Close it.',
  7: 'needs more memory than there is.',
  8: 'is read-only. Make the file, its directory and its file system writable.',
  10: 'could not be read or written: the disk or its file system reports an input/output error. Check the disk, then restore the file if needed.',
  11: 'is damaged. Move it away and restore it from a backup, or rescue it with `sqlite3 FILE .recover`.',
  13: 'has no room to grow: the disk or its quota is full. Free some space.',
  14: 'cannot be opened. Check that its directory exists and that this user may write there.',
  23: 'may not be accessed. Check the rights of this user.',
  26: 'is not an SQLite database, or its header is damaged. Move it away, or restore it from a backup.',
};

/** What the operating system says where we write or flush by ourselves, as SQLite would have said it. */
const SYSTEM: Readonly<Record<string, number>> = {
  EIO: 10,
  ENOSPC: 13,
  EDQUOT: 13,
  EROFS: 8,
  EACCES: 8,
  EPERM: 8,
};

/** Codes after which the same connection is still good: the transaction was simply not made. */
const HARMLESS = new Set([5, 6]);

export interface SqliteFailure {
  /** One sentence (or two) that goes on from the file's name. */
  readonly advice: string;
  /** The connection must be closed and opened again. */
  readonly broken: boolean;
}

/** Reads an error of `node:sqlite` or the file system; undefined where it is neither but a mistake of ours. */
export function readSqliteFailure(error: unknown): SqliteFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  const primary =
    'errcode' in error
      ? Number(error.errcode) & 0xff
      : (SYSTEM[(error as NodeJS.ErrnoException).code ?? ''] ?? 0);
  const advice = ADVICE[primary];
  return advice === undefined ? undefined : { advice, broken: !HARMLESS.has(primary) };
}
