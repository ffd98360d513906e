import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { foldersIn, runsFolder } from './run-folder.ts';
import { isLive, type RunRecord, readRecord } from './run-record.ts';
import { listedRuns, type StateHome } from './state-home.ts';

/** A run that was found, and whether anybody keeps it. */
export interface FoundRun {
  readonly folder: string;
  readonly record: RunRecord;
  /** False when its supervisor was killed. */
  readonly live: boolean;
}

/** How a command says which run it means. */
export interface RunQuery {
  /** A run file, or the folder of one. */
  readonly file?: string;
  readonly name?: string;
  /** Where the command was given. */
  readonly cwd: string;
}

/** No run, or more than one, is meant by a command. */
export class WhichRunError extends Error {
  readonly code: 'NO_RUN' | 'AMBIGUOUS_RUN';

  constructor(code: WhichRunError['code'], message: string) {
    super(message);
    this.name = 'WhichRunError';
    this.code = code;
  }
}

/** All runs of this user, and those kept in the folder a command was given in. */
export function allRuns(home: StateHome, cwd: string): readonly FoundRun[] {
  const folders = new Set([...listedRuns(home), ...foldersIn(runsFolder(cwd, home))]);
  return [...folders].flatMap((folder) => {
    const record = readRecord(folder);
    return record === undefined ? [] : [{ folder, record, live: isLive(record) }];
  });
}

/**
 * The one run a command means: by file, by name, or else the only one there is,
 * or the one of the current folder. Runs that live come before those whose
 * supervisor was killed.
 */
export function pickRun(runs: readonly FoundRun[], query: RunQuery): FoundRun {
  const named = runs.filter((run) => matches(run, query));
  const living = named.filter((run) => run.live);
  const candidates = living.length > 0 ? living : named;
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return only;
  if (only === undefined) throw noRun(runs, query);
  if (query.file === undefined && query.name === undefined) {
    const here = candidates.filter((run) => same(run.record.dir, query.cwd));
    if (here.length === 1) return here[0]!;
  }
  const message = `There are ${candidates.length} runs; say which with --run NAME or -f FILE:`;
  throw new WhichRunError('AMBIGUOUS_RUN', `${message}\n${listed(candidates)}`);
}

/** Whether a run is one of those that a query may mean. */
export function matches({ record }: FoundRun, { file, name, cwd }: RunQuery): boolean {
  if (name !== undefined && record.name !== name) return false;
  if (file === undefined) return true;
  const wanted = resolve(cwd, file);
  return same(record.file ?? '', wanted) || same(record.dir, wanted);
}

function noRun(runs: readonly FoundRun[], { file, name }: RunQuery): WhichRunError {
  if (file === undefined && name === undefined) {
    return new WhichRunError('NO_RUN', 'Nothing is running; start something with `holdfast run`.');
  }
  const what = name === undefined ? `of "${file}"` : `named "${name}"`;
  const others = runs.length === 0 ? ' Nothing else is running.' : ` There is:\n${listed(runs)}`;
  return new WhichRunError('NO_RUN', `There is no run ${what}.${others}`);
}

/** A line for each: its name and its file, or where it was started. */
export function listed(runs: readonly FoundRun[]): string {
  const width = Math.max(...runs.map(({ record }) => record.name.length));
  return runs
    .map(({ record, live }) => {
      const dead = live ? '' : '  (its supervisor was killed; `holdfast stop` ends the rest)';
      return `  ${record.name.padEnd(width)}  ${record.file ?? record.dir}${dead}`;
    })
    .join('\n');
}

function same(a: string, b: string): boolean {
  return a !== '' && (a === b || real(a) === real(b));
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // removed since; the text is all there is to compare
  }
}
