import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '@holdfast/core';
import { accountLines } from '../books/account-lines.ts';
import type { Account } from '../books/accounting.ts';
import { auditWhenSettled, type Witness } from '../books/bookkeeping.ts';
import { type Ledger, openLedger } from '../books/ledger.ts';
import { type HttpClient, httpClient } from '../load/http-client.ts';
import type { Drill } from './drill.ts';
import { type DrillReport, summaryLine } from './drill-report.ts';
import { interruptSignal } from './interrupt-signal.ts';
import type { ProcessControl } from './process-control.ts';
import { runDrill } from './run-drill.ts';

export interface RunDrillsOptions<World> {
  /** In the order in which they run. */
  readonly drills: readonly Drill<World>[];

  /** Called once, before the first drill, with the client that the drills use; the signal interrupts. */
  readonly world: (http: HttpClient, signal: AbortSignal) => Promise<World>;

  /** Reads what arrived, from a place that the service under test does not write. */
  readonly witness: (world: World) => Witness;

  /** Whoever started the processes: `Run` of the package `holdfast` fits. */
  readonly control: ProcessControl;

  /** Where requests go: scheme, host and port, without a slash at the end. */
  readonly baseUrl: string;

  /** Each run makes a directory in it, named by the time, with `ledger.jsonl` and `report.json`. */
  readonly directory: string;

  /** Takes the transcript, line by line. */
  readonly print: (line: string) => void;

  /** Ends the run early; what is broken is mended first. @default Ctrl-C and SIGTERM */
  readonly signal?: AbortSignal;

  /** How long the books may take to settle after a drill; only what is lost takes as long. @default 60_000 ms */
  readonly settleLimitMs?: number;

  /** @default systemClock */
  readonly clock?: Clock;
}

/** Where times were measured, without which they say nothing. */
export interface Environment {
  readonly node: string;
  readonly platform: string;
  readonly cpus: number;
  /** When the run began, ms since the Unix epoch. */
  readonly startedWallMs: number;
}

/** How a whole run went. */
export interface RunReport {
  /** 0: every drill passed and the books balance over all of them. 1: not so. 130: interrupted. */
  readonly exitCode: 0 | 1 | 130;
  readonly environment: Environment;
  readonly drills: readonly DrillReport[];
  /** Over the whole run. Missing when interrupted, or when the books could not be read. */
  readonly account?: Account;
}

/** Runs drills one after another on one ledger, then adds up the books of the whole run. */
export async function runDrills<World>(options: RunDrillsOptions<World>): Promise<RunReport> {
  const { baseUrl, clock = systemClock, print } = options;
  const directory = await freshDirectory(options.directory, clock);
  const ledger = await openLedger({ path: join(directory, 'ledger.jsonl') });
  const http = httpClient({ baseUrl, clock });
  try {
    const report = await runOn({ ledger, http, clock }, options);
    const reportPath = join(directory, 'report.json');
    await writeFile(reportPath, `${JSON.stringify(report, null, 2)}\n`);
    print(`report: ${reportPath} · client's ledger: ${ledger.path} (process ${ledger.pid})`);
    return report;
  } finally {
    http.close();
    await ledger.close();
  }
}

/** A ledger holds one run: an older run's promises must not be asked of this one's witness. */
async function freshDirectory(parent: string, clock: Clock): Promise<string> {
  await mkdir(parent, { recursive: true });
  const name = new Date(clock.wallMs()).toISOString().replaceAll(/[:.]/g, '-');
  return mkdtemp(join(parent, `${name}-`));
}

async function runOn<World>(
  { ledger, http, clock }: { ledger: Ledger; http: HttpClient; clock: Clock },
  options: RunDrillsOptions<World>,
): Promise<RunReport> {
  const { control, print, settleLimitMs = 60_000 } = options;
  const environment = environmentNow(clock);
  const drills: DrillReport[] = [];
  using interrupt = interruptSignal(options.signal);
  const { signal } = interrupt;

  try {
    const world = await options.world(http, signal);
    const witness = options.witness(world);
    const mark = await witness.mark();
    const books = { ledger, witness, mark };
    const env = { ...books, control, http, clock, print, signal, settleLimitMs };
    for (const [index, drill] of options.drills.entries()) {
      const label = `${index + 1} ${drill.name}`;
      drills.push(await runDrill(drill, world, { ...env, label }));
      signal.throwIfAborted();
    }

    for (const line of ['', '## The whole run', ...drills.map(summaryLine)]) print(line);
    const account = await auditWhenSettled(books, { clock, limitMs: settleLimitMs, signal });
    for (const line of accountLines(account)) print(line);
    const good = account.balances && drills.every(({ verdict }) => verdict === 'passed');
    return { exitCode: good ? 0 : 1, environment, drills, account };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    print(`❌ The run ends here: ${problem}`);
    return { exitCode: signal.aborted ? 130 : 1, environment, drills };
  }
}

function environmentNow(clock: Clock): Environment {
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpus: availableParallelism(),
    startedWallMs: clock.wallMs(),
  };
}
