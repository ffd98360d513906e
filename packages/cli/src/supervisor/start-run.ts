import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { type Clock, systemClock } from '@holdfast/core';
import { existsNow, thisProcess } from '../own-process.ts';
import { settleApp } from '../run-file/app-settings.ts';
import { checkRunFile, portClaims } from '../run-file/check-run-file.ts';
import type { RunFile } from '../run-file/run-file.ts';
import { RunFileError } from '../run-file/run-file-error.ts';
import { allRuns, type FoundRun } from '../run-state/find-run.ts';
import { clearLeftovers } from '../run-state/leftovers.ts';
import { runsFolder } from '../run-state/run-folder.ts';
import { openStateHome } from '../run-state/state-home.ts';
import { portState } from './free-port.ts';
import type { Run, StartRunOptions } from './run.ts';
import { StartError } from './start-error.ts';
import { Supervisor } from './supervisor.ts';

/**
 * Starts everything a run file names and keeps it: each app, each sidecar and
 * each further process is a process of its own. Resolves when all is ready:
 * sidecars answer, processes pass their checks, apps listen on their ports.
 *
 * Everything starts at once, but for an app, which waits for its own sidecar,
 * and for what an entry names under `needs`. When anything cannot start,
 * nothing is left behind.
 *
 * @throws RunFileError when the data contradict themselves
 * @throws StartError naming the process that could not start
 */
export async function startRun(runFile: RunFile, options: StartRunOptions = {}): Promise<Run> {
  const clock: Clock = systemClock;
  const note = options.onNote ?? (() => {});
  checkAgain(runFile);
  options.signal?.throwIfAborted();
  const env = options.env ?? thisProcess.env;
  const home = openStateHome(env);
  const runs = options.stateDir ?? runsFolder(runFile.dir, home);
  const leftovers = await clearLeftovers(home, runs, clock);
  if (leftovers.length > 0) {
    note(
      `A run that was killed here had left ${leftovers.join(', ')} behind; they have been ended.`,
    );
  }
  await checkPortsAreFree(runFile, () => allRuns(home, runFile.dir));
  options.signal?.throwIfAborted();

  const around = { exists: existsNow, homeDir: homedir() };
  const apps = runFile.apps.map((app) => settleApp(runFile, app, around));
  const name = runFile.name ?? (basename(runFile.dir) || 'run');
  const supervisor = new Supervisor({ runFile, apps, name, runs, home, env, clock, options });
  await supervisor.startAll();
  return supervisor;
}

/** A program may have changed what was read: the file's rules hold for the data too. */
function checkAgain(runFile: RunFile): void {
  const file = runFile.path ?? join(runFile.dir, 'dapr.yaml');
  const problems = checkRunFile(runFile).map(({ rule, message }) => ({
    file,
    line: 1,
    column: 1,
    rule,
    message,
  }));
  if (problems.length > 0) throw new RunFileError(problems);
}

async function checkPortsAreFree(runFile: RunFile, runs: () => readonly FoundRun[]): Promise<void> {
  const claims = portClaims(runFile);
  const states = await Promise.all(claims.map(({ port }) => portState(port)));
  const taken = claims.findIndex((_, index) => states[index] !== 'free');
  const claim = claims[taken];
  if (claim === undefined) return;
  const who = claim.by;
  const why = states[taken] === 'taken' ? 'is taken' : 'may not be listened on by this user';
  const end = states[taken] === 'taken' ? endingOf(claim.port, runs()) : undefined;
  throw new StartError(
    'PORT_TAKEN',
    claim.name,
    `Port ${claim.port} ${why}, and ${who} asks for it; ${end ?? 'end the program that listens on it'}, or give it another port (${claim.remedy}).`,
  );
}

/** How the run that has `port` is ended: mostly the same one, started a second time. */
function endingOf(port: number, runs: readonly FoundRun[]): string | undefined {
  for (const { record, live } of runs) {
    const holder = record.processes.find(({ pid, ports }) => {
      return pid !== null && Object.values(ports).includes(port);
    });
    if (live && holder !== undefined) {
      return `"${holder.name}" of the run "${record.name}" has it, which \`holdfast stop --run ${record.name}\` ends`;
    }
  }
  return undefined;
}
