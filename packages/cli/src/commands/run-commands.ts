import { systemClock } from '@holdfast/core';
import { askSupervisor } from '../run-state/ask-supervisor.ts';
import { allRuns, type FoundRun, matches, pickRun, type RunQuery } from '../run-state/find-run.ts';
import { endOrphans } from '../run-state/leftovers.ts';
import { removeRunFolder } from '../run-state/run-folder.ts';
import { runOfApp } from '../run-state/run-of-app.ts';
import { leaveRun, openStateHome, type StateHome } from '../run-state/state-home.ts';
import type { ProcessInfo } from '../supervisor/process/process-info.ts';
import type { CommandContext } from './output.ts';
import { processTable } from './process-table.ts';

/** Which run a command is for. */
export interface RunChoice {
  readonly file?: string;
  readonly run?: string;
}

/** How often `stop` looks whether the supervisor has gone. */
const POLL_MS = 20;

/** `holdfast ps`: what runs, as a table or as JSON. */
export async function ps(
  choice: RunChoice & { readonly json?: boolean },
  context: CommandContext,
): Promise<number> {
  const { found } = choose(choice, context);
  const infos = found.live ? await askSupervisor(found.record, 'ps') : downFrom(found);
  if (choice.json === true) context.output.out(JSON.stringify(infos, null, 2));
  else for (const line of processTable(infos)) context.output.out(line);
  if (!found.live) {
    context.output.err(
      `The supervisor of run "${found.record.name}" was killed; \`holdfast stop\` ends what it left.`,
    );
  }
  return 0;
}

/** `holdfast kill NAME`: one process gets a signal, SIGKILL unless told otherwise. */
export async function kill(
  name: string,
  choice: RunChoice & { readonly signal?: string },
  context: CommandContext,
): Promise<number> {
  const { record } = alive(choose(choice, context).found);
  const before = await askSupervisor(record, 'ps');
  await askSupervisor(record, 'kill', { name, signal: choice.signal ?? 'SIGKILL' });
  const wasDown = before.some((process) => process.name === name && process.pid === null);
  if (wasDown)
    context.output.err(`"${name}" was down already; \`holdfast start ${name}\` starts it.`);
  context.output.out(name);
  return 0;
}

/** `holdfast start NAME`: resolves when it is ready. */
export async function start(
  name: string,
  choice: RunChoice,
  context: CommandContext,
): Promise<number> {
  const { record } = alive(choose(choice, context).found);
  await askSupervisor(record, 'start', { name });
  context.output.out(name);
  return 0;
}

/** `holdfast stop`: ends a run, also one whose supervisor is gone; returns when nothing is left. */
export async function stop(
  choice: RunChoice & { readonly force?: boolean },
  context: CommandContext,
): Promise<number> {
  const { found, home } = choose(choice, context);
  await end(found, home, choice.force === true, context);
  return 0;
}

/**
 * `holdfast stop --app-id ID`: ends an app and its sidecar, as `dapr stop` does; the run as well,
 * with all its other processes, where no other app of it runs.
 */
export async function stopApps(
  appIds: readonly string[],
  choice: RunChoice & { readonly force?: boolean },
  context: CommandContext,
): Promise<number> {
  const force = choice.force === true;
  for (const appId of appIds) {
    const home = openStateHome(context.env);
    const query = queryOf(choice, context);
    const runs = allRuns(home, context.cwd).filter((run) => matches(run, query));
    const { others, run } = runOfApp(runs, appId);
    if (others.length === 0) await end(run, home, force, context);
    else {
      await askSupervisor(run.record, 'stop-app', { name: appId, force });
      context.output.out(appId);
    }
  }
  return 0;
}

async function end(
  found: FoundRun,
  home: StateHome,
  force: boolean,
  context: CommandContext,
): Promise<void> {
  if (found.live) {
    await askSupervisor(found.record, 'stop', { force });
    while (isThere(found, home, context)) await systemClock.sleep(POLL_MS);
  } else {
    const ended = await endOrphans(found.record, systemClock);
    leaveRun(home, found.folder);
    removeRunFolder(found.folder);
    if (ended.length > 0)
      context.output.err(`Ended what its supervisor had left: ${ended.join(', ')}.`);
  }
  context.output.out(found.record.name);
}

function choose(choice: RunChoice, context: CommandContext): { found: FoundRun; home: StateHome } {
  const home = openStateHome(context.env);
  return { found: pickRun(allRuns(home, context.cwd), queryOf(choice, context)), home };
}

function queryOf({ file, run }: RunChoice, { cwd }: CommandContext): RunQuery {
  return {
    cwd,
    ...(file === undefined ? {} : { file }),
    ...(run === undefined ? {} : { name: run }),
  };
}

function isThere({ folder }: FoundRun, home: StateHome, { cwd }: CommandContext): boolean {
  return allRuns(home, cwd).some((run) => run.folder === folder && run.live);
}

function alive(found: FoundRun): FoundRun {
  if (found.live) return found;
  throw new Error(
    `The supervisor of run "${found.record.name}" was killed, so nobody can act on it; \`holdfast stop\` ends what it left.`,
  );
}

/** What a run without a supervisor last said of itself. */
function downFrom({ record }: FoundRun): readonly ProcessInfo[] {
  return record.processes.map(
    ({ identity: _identity, startedWallMs: _started, command: _command, ...info }) => info,
  );
}
