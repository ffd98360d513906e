import { fileURLToPath } from 'node:url';
import {
  type Drill,
  type ProcessControl,
  runDrills as runOnLedger,
  type Witness,
} from '@holdfast/drill';
import { auth } from './auth.ts';
import { authDatabase } from './auth-database.ts';
import { broker } from './broker.ts';
import { database } from './database.ts';
import type { DrillContext } from './drill-context.ts';
import { eventService } from './event-service.ts';
import { load } from './load.ts';
import { openPlatform, type Platform } from './platform.ts';
import { pool } from './pool.ts';
import { restart } from './restart.ts';
import { sidecar } from './sidecar.ts';
import { silence } from './silence.ts';
import { worker } from './worker.ts';

/** In the order of `all`. */
const DRILLS: readonly Drill<Platform>[] = [
  auth,
  authDatabase,
  broker,
  eventService,
  database,
  restart,
  load,
  pool,
  sidecar,
  worker,
  silence,
];

const DIRECTORY = fileURLToPath(new URL('../../.holdfast/drills', import.meta.url));

/** What `--drill` takes, apart from `all`. */
export const drillNames: readonly string[] = DRILLS.map(({ name }) => name);

/**
 * Holds drills on a running platform.
 *
 * @param names names of drills, each one or several with commas between, or `all`
 * @returns the exit status: 0 if every drill passed and the books of the whole
 *   run balance, 1 if not, 2 for an unknown name, 130 when interrupted
 */
export async function runDrills(names: readonly string[], context: DrillContext): Promise<number> {
  const { print = toStdout, directory = DIRECTORY } = context;
  const wanted = wantedDrills(names);
  if (wanted === undefined) {
    for (const line of whatIsWrong(names)) print(line);
    return 2;
  }

  const control = asControl(context);
  const report = await runOnLedger<Platform>({
    drills: wanted.flatMap((name) => DRILLS.filter((drill) => drill.name === name)),
    world: (http, signal) => openPlatform(http, control, context.databaseUrl, signal),
    witness: witnessOf,
    control,
    baseUrl: context.baseUrl,
    directory,
    print,
    ...(context.signal === undefined ? {} : { signal: context.signal }),
    ...(context.settleLimitMs === undefined ? {} : { settleLimitMs: context.settleLimitMs }),
  });
  return report.exitCode;
}

/** event-sink's list is the witness's ledger; what is not in it is asked of the services. */
function witnessOf(platform: Platform): Witness {
  return {
    mark: async () => (await platform.delivered('')).end,
    arrivalsSince: async (mark) => (await platform.delivered(mark)).events,
    async whereabouts(ids) {
      const queued: string[] = [];
      const due: string[] = [];
      // One after the other: after a loss there may be thousands, and nobody is in a hurry then.
      for (const id of ids) {
        const status = await platform.testStatus(id);
        if (status === 'processing') queued.push(id);
        else if (status !== undefined) due.push(id);
      }
      const dead = ids.length === 0 ? [] : await platform.deadTests();
      return { queued, due, dead: dead.filter((id) => ids.includes(id)) };
    },
  };
}

function asControl({ control }: DrillContext): ProcessControl {
  return {
    ps: async () => control.ps(),
    kill: async (name) => void (await control.kill(name)),
    start: async (name) => void (await control.start(name)),
  };
}

/** What to say to names that `runDrills` would refuse; nothing when it would not. */
export function whatIsWrong(names: readonly string[]): readonly string[] {
  if (wantedDrills(names) !== undefined) return [];
  const unknown = askedFor(names).filter((name) => !drillNames.includes(name));
  const problem = unknown.map((name) => `There is no drill called "${name}".`);
  const list = DRILLS.map(({ name, promise }) => `  ${name.padEnd(14)} ${promise}`);
  return [...problem, 'Drills, one or several with commas between, or `all`:', ...list];
}

/** The drills that are meant; undefined when one is unknown, or none is named. */
function wantedDrills(names: readonly string[]): readonly string[] | undefined {
  const asked = askedFor(names);
  if (asked.includes('all')) return drillNames;
  return asked.length > 0 && asked.every((name) => drillNames.includes(name)) ? asked : undefined;
}

function askedFor(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => name.split(',')).filter((name) => name !== '');
}

function toStdout(line: string): void {
  process.stdout.write(`${line}\n`);
}
