import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSameProcess } from '../supervisor/process/process-identity.ts';
import type { ProcessInfo } from '../supervisor/process/process-info.ts';

/** A process as a run remembers it: enough to end it when its supervisor could not. */
export interface RecordedProcess extends ProcessInfo {
  /** When the process began, so that a later one with the same pid is left alone. */
  readonly identity: string | null;
  /** When it was started, by the wall clock; null while it is down. */
  readonly startedWallMs: number | null;
  /** Of an app: what it was started with. */
  readonly command?: string;
}

/** What a run's folder says about it; `run.json`, readable by its user alone. */
export interface RunRecord {
  readonly version: 1;
  /** The name it is addressed by, with `--run`. */
  readonly name: string;
  /** The run file, or null for `holdfast run -- CMD`. */
  readonly file: string | null;
  /** The folder it belongs to: the run file's, or the one the command was given in. */
  readonly dir: string;
  readonly supervisor: { readonly pid: number; readonly identity: string | null };
  /** Where the supervisor listens, and the word that opens it. */
  readonly control: { readonly socket: string; readonly token: string };
  readonly processes: readonly RecordedProcess[];
}

const RECORD = 'run.json';

/** Replaces the record at once and whole: a reader sees the old one or the new one. */
export function writeRecord(folder: string, record: RunRecord): void {
  const path = join(folder, RECORD);
  const next = `${path}.${randomBytes(4).toString('hex')}`;
  writeFileSync(next, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(next, path);
}

/** The record of a run folder, or undefined where there is none that can be read. */
export function readRecord(folder: string): RunRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(join(folder, RECORD), 'utf8')) as RunRecord;
    return record.version === 1 ? record : undefined;
  } catch {
    // Removed meanwhile, or not ours.
    return undefined;
  }
}

/** Whether the supervisor of a run still lives. */
export function isLive(record: RunRecord): boolean {
  return isSameProcess(record.supervisor.pid, record.supervisor.identity ?? undefined);
}
