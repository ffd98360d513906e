import { bareSidecars } from './bare-sidecars.ts';
import { allRuns, type FoundRun } from './find-run.ts';
import { ownProcesses } from './own-processes.ts';
import { bareApps, type RunningApp, runningApps } from './running-apps.ts';
import { openStateHome } from './state-home.ts';

/** What runs on this machine for this user. */
export interface AppsThere {
  /** Those of runs, then sidecars that were started alone. */
  readonly apps: readonly RunningApp[];
  /** The runs, also those whose supervisor was killed. */
  readonly runs: readonly FoundRun[];
}

/** Looks for all apps of this user whose sidecars run. */
export function appsThere(
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  nowWallMs: number,
): AppsThere {
  const runs = allRuns(openStateHome(env), cwd);
  const recorded = new Set(
    runs.flatMap(({ record }) => record.processes.map(({ pid }) => pid ?? 0)),
  );
  const bare = bareSidecars(ownProcesses(), recorded, env.HOLDFAST_STATE_HOME);
  return { apps: [...runningApps(runs, nowWallMs), ...bareApps(bare, nowWallMs)], runs };
}
