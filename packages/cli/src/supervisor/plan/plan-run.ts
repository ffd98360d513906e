import { writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '@holdfast/core';
import type { AppSettings } from '../../run-file/app-settings.ts';
import { type RunFile, sidecarName } from '../../run-file/run-file.ts';
import { codeCache, namesFile, type StateHome } from '../../run-state/state-home.ts';
import { freePorts } from '../free-port.ts';
import { apiSockets, type SidecarPorts } from '../process/launch.ts';
import type { ProcessPlan } from '../process/managed-process.ts';
import { namesConfiguration } from './names-configuration.ts';
import { type AppSurroundings, planService, planSidecar, portsAskedFor } from './plan-app.ts';
import { planProcess } from './plan-process.ts';

/** A process to come, and the names of what must be ready before it starts. */
export interface PlannedUnit {
  readonly plan: ProcessPlan;
  readonly needs: readonly string[];
}

export interface PlanRunOptions {
  readonly runFile: RunFile;
  readonly apps: readonly AppSettings[];
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** The run's own folder. */
  readonly folder: string;
  readonly home: StateHome;
  /** Whether its sidecars find one another only, and not those of the user's other runs. */
  readonly island: boolean;
  readonly note: (line: string) => void;
}

/** All processes of a run in the order of `ps`: the run file's own, then each sidecar and its app. */
export async function planRun(options: PlanRunOptions): Promise<readonly PlannedUnit[]> {
  const { runFile, apps, env, clock, folder, home, note } = options;
  const books = await Promise.all(apps.map(async (app) => ({ current: await firstPorts(app) })));

  const names = options.island ? join(folder, 'names.db') : namesFile(home);
  const config = join(folder, 'names.yaml');
  writeFileSync(config, namesConfiguration(names), { mode: 0o600 });
  const around: AppSurroundings = {
    clock,
    env,
    baseConfigs: [config],
    codeCache: codeCache(home),
    sidecarState: sidecarState(folder),
    note,
  };
  const processes = runFile.holdfast.processes.map((entry) => ({
    plan: planProcess(entry, runFile.dir, env, clock),
    needs: entry.needs ?? [],
  }));
  const ofApps = apps.flatMap((app, index) => {
    const book = books[index]!;
    const sidecar = { plan: planSidecar(app, book, around), needs: [] };
    if (app.command === undefined) return [sidecar];
    const needs = [sidecarName(app.appID), ...(app.needs ?? [])];
    return [sidecar, { plan: planService(app, book, around), needs }];
  });
  return [...processes, ...ofApps];
}

/**
 * Our own sidecar takes free ports itself and says which: no other program can
 * come between. A foreign one must be told.
 */
async function firstPorts(app: AppSettings): Promise<SidecarPorts> {
  const asked = portsAskedFor(app);
  if (app.runtimePath === undefined) return asked;
  const [grpc = 0, http = 0, internal = 0, metrics = 0] = await freePorts(4);
  // An API on sockets has no ports, and nobody is to be told of any.
  const sockets = apiSockets(app) !== undefined;
  return {
    http: sockets ? 0 : asked.http || http,
    grpc: sockets ? 0 : asked.grpc || grpc,
    internal: asked.internal || internal,
    metrics: asked.metrics || metrics,
  };
}

/** Beside the runs of the run file, where they are beside it: that is a place of this project alone. */
function sidecarState(folder: string): string | undefined {
  const hidden = dirname(dirname(folder));
  return basename(hidden) === '.holdfast' ? join(hidden, 'state') : undefined;
}
