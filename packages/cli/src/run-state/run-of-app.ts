import { didYouMean } from '../did-you-mean.ts';
import { type FoundRun, listed, WhichRunError } from './find-run.ts';
import { type RunningApp, runningApps } from './running-apps.ts';

/** A run with an app, and the others of its apps that run. */
export interface RunOfApp {
  readonly run: FoundRun;
  readonly others: readonly RunningApp[];
}

/** The one run that has an app of this id, down or not. @throws WhichRunError where there is none, or more than one */
export function runOfApp(runs: readonly FoundRun[], appId: string): RunOfApp {
  const living = runs.filter(({ live }) => live);
  const having = living.filter(({ record }) => idsOf(record.processes).has(appId));
  const [run] = having;
  if (run === undefined) throw noApp(living, appId);
  if (having.length > 1) {
    const message = `${having.length} runs have an app "${appId}"; say which with --run NAME or -f FILE:`;
    throw new WhichRunError('AMBIGUOUS_RUN', `${message}\n${listed(having)}`);
  }
  const others = runningApps([run], 0).filter((app) => app.appId !== appId);
  return { run, others };
}

function noApp(living: readonly FoundRun[], appId: string): WhichRunError {
  if (living.some(({ record }) => record.name === appId)) {
    const remedy = `\`holdfast stop --run ${appId}\` ends it`;
    return new WhichRunError('NO_RUN', `"${appId}" is no app but a run; ${remedy}.`);
  }
  const ids = new Set(living.flatMap(({ record }) => [...idsOf(record.processes)]));
  return new WhichRunError('NO_RUN', noSuchApp(appId, ids));
}

/** The sentence about an app id that none of those that run has. */
export function noSuchApp(appId: string, ids: ReadonlySet<string>): string {
  const there = ids.size === 0 ? ' No app is.' : ` There is ${[...ids].join(', ')}.`;
  const hint = didYouMean(appId, ids) || '.';
  return `No app "${appId}" is running${hint}${there}`;
}

const idsOf = (processes: FoundRun['record']['processes']): ReadonlySet<string> =>
  new Set(processes.flatMap(({ app_id }) => app_id ?? []));
