import type { Clock } from '@holdfast/core';
import { auditWhenSettled, type Witness } from '../books/bookkeeping.ts';
import type { Ledger } from '../books/ledger.ts';
import type { HttpClient } from '../load/http-client.ts';
import { isBad } from '../transcript/step.ts';
import { createTranscript, type Transcript } from '../transcript/transcript.ts';
import type { Drill } from './drill.ts';
import { closingLines, type DrillReport, recoveryOf } from './drill-report.ts';
import { createFaults } from './faults.ts';
import { perform } from './perform.ts';
import type { ProcessControl } from './process-control.ts';

/** What a drill runs on. */
export interface DrillEnv {
  /** What the ledger calls this drill; unique in a run, where the same drill may be held twice. */
  readonly label: string;
  readonly control: ProcessControl;
  readonly http: HttpClient;
  readonly ledger: Ledger;
  readonly witness: Witness;
  /** Where the witness's ledger was before the first drill of this run. */
  readonly mark: string;
  readonly clock: Clock;
  readonly print: (line: string) => void;
  /** Interrupts the drill: it stops, mends what it broke, and proves nothing. */
  readonly signal: AbortSignal;
  /** How long the books may take to settle after the script. */
  readonly settleLimitMs: number;
}

/** Runs one drill, mends what it broke, adds up its books. Never rejects: what went wrong is in the report. */
export async function runDrill<World>(
  drill: Drill<World>,
  world: World,
  env: DrillEnv,
): Promise<DrillReport> {
  const { clock, signal, print, settleLimitMs: limitMs } = env;
  const { name, promise } = drill;
  print('');
  print(`## Drill ${name}: ${promise}`);

  const startedWallMs = clock.wallMs();
  const startedMs = clock.now();
  const transcript = createTranscript(clock, print);
  const mendedAtMs = await act(drill, world, env, transcript);
  const account = signal.aborted
    ? undefined
    : await orFail(transcript, () =>
        auditWhenSettled({ ...env, drill: env.label }, { clock, limitMs, signal }),
      );
  const settled =
    account === undefined || mendedAtMs === undefined
      ? {}
      : { 'books settled': clock.now() - mendedAtMs };

  const { steps } = transcript;
  const passed = account?.balances === true && account.queued === 0 && !steps.some(isBad);
  const report: DrillReport = {
    name,
    promise,
    verdict: signal.aborted ? 'interrupted' : passed ? 'passed' : 'failed',
    startedWallMs,
    tookMs: clock.now() - startedMs,
    steps,
    recovery: { ...recoveryOf(steps), ...settled },
    ...(account === undefined ? {} : { account }),
  };
  for (const line of closingLines(report)) print(line);
  return report;
}

/** Plays the script and mends what is broken after it. Resolves with when the end of the last fault was ordered. */
async function act<World>(
  drill: Drill<World>,
  world: World,
  { label, clock, control, http, ledger, signal }: DrillEnv,
  transcript: Transcript,
): Promise<number | undefined> {
  const faults = createFaults(control, clock);
  const desk = { drill: label, http, ledger, signal };
  const performance = perform({ desk, clock, control, faults, transcript });

  await orFail(transcript, () => drill.script(performance, world));
  await orFail(transcript, () => performance.stopTraffic());
  for (const { what, error } of await faults.undoAll()) {
    const problem = error === undefined ? {} : { problem: messageOf(error) };
    transcript.note({ kind: 'mended', how: `mended at the end: ${what}`, ...problem });
  }
  return performance.mendedAtMs();
}

/** An error ends this part of the drill and is noted; the rest goes on. */
async function orFail<T>({ note }: Transcript, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    note({ kind: 'failed', problem: messageOf(error) });
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
