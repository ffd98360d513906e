import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '@holdfast/core';
import { type RunRecord, writeRecord } from './run-record.ts';
import type { StateHome } from './state-home.ts';

/** More runs of one name at once than anybody means to have. */
const MAX_SAME_NAME = 100;

/** What a run folder is called while it is made; it takes a moment. */
const DRAFT = '.new-';
const OLD_DRAFT_MS = 60_000;

/** Where the runs of a folder are kept: beside it, or with the user's when it cannot be written. */
export function runsFolder(dir: string, home: StateHome): string {
  const hidden = join(dir, '.holdfast');
  try {
    accessSync(existsSync(hidden) ? hidden : dir, constants.W_OK);
    return join(hidden, 'run');
  } catch {
    return join(home.path, 'run');
  }
}

/**
 * Makes the folder of a new run and its first record in one step, so that two
 * runs started together never share one. The second of a name gets `-2`.
 */
export function claimRunFolder(
  runs: string,
  name: string,
  record: (folder: string, name: string) => RunRecord,
): { folder: string; record: RunRecord } {
  // Only the runs are nobody else's business: other things may live beside them, and be others' to read.
  mkdirSync(dirname(runs), { recursive: true });
  mkdirSync(runs, { recursive: true, mode: 0o700 });
  const draft = mkdtempSync(join(runs, DRAFT));
  try {
    for (let attempt = 1; attempt <= MAX_SAME_NAME; attempt += 1) {
      const unique = attempt === 1 ? name : `${name}-${attempt}`;
      const folder = join(runs, unique);
      const first = record(folder, unique);
      writeRecord(draft, first);
      if (moveTo(draft, folder)) return { folder, record: first };
    }
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
  rmSync(draft, { recursive: true, force: true });
  throw new Error(`There are ${MAX_SAME_NAME} runs named "${name}" already; stop some of them.`);
}

/** Renaming fails where a run of that name has its record already. */
function moveTo(draft: string, folder: string): boolean {
  try {
    renameSync(draft, folder);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'EPERM') return false;
    throw error;
  }
}

/** Removes a run's folder, and the folders above it that were made for it, once they are empty. */
export function removeRunFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  for (const parent of [dirname(folder), dirname(dirname(folder))]) {
    if (!['run', '.holdfast'].includes(parent.split(/[\\/]/).at(-1)!)) return;
    try {
      rmdirSync(parent);
    } catch {
      return; // another run is in it, or it is gone
    }
  }
}

/** The run folders that lie in one place. */
export function foldersIn(runs: string): readonly string[] {
  try {
    return readdirSync(runs, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith(DRAFT))
      .map((entry) => join(runs, entry.name));
  } catch {
    return []; // none yet
  }
}

/** Removes run folders that somebody was killed in the middle of making. */
export function removeOldDrafts(runs: string, clock: Clock): void {
  try {
    for (const name of readdirSync(runs).filter((entry) => entry.startsWith(DRAFT))) {
      const path = join(runs, name);
      const ageMs = clock.wallMs() - statSync(path).mtimeMs;
      if (ageMs > OLD_DRAFT_MS) rmSync(path, { recursive: true, force: true });
    }
  } catch {
    // There are no runs here yet, or another run was faster.
  }
}
