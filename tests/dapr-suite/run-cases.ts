import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Suite } from './build-suite.ts';
import { readLine, type Verdict } from './follow-run.ts';

/** Other programs of the suite; the cases that start one are not run. */
const ABSENT = ['placement', 'sentry', 'operator', 'injector', 'scheduler'];
const HELPERS = ['helmtemplate', 'mcpstdioserver', 'controllergen'];
/** The suite gives each case 45 s, and then as long as its processes take to end. */
const LONGEST_MS = 180_000;

export interface RunOptions {
  readonly daprd: string;
  readonly logFile: string;
  /** A case that takes longer hangs; it is ended, and the others go on. @default 180_000 ms */
  readonly longestMs?: number;
  /** Ends what is running. */
  readonly signal?: AbortSignal;
}

/**
 * Runs cases one after another and says how each ended; what they print goes to a file.
 * Those that the suite does not come to are broken.
 */
export async function runCases(
  suite: Suite,
  names: readonly string[],
  options: RunOptions,
): Promise<ReadonlyMap<string, Verdict>> {
  const verdicts = new Map<string, Verdict>();
  mkdirSync(path.dirname(options.logFile), { recursive: true });
  const log = createWriteStream(options.logFile);
  const left = () => names.filter((name) => !verdicts.has(name));
  for (let rest = left(); rest.length > 0; rest = left()) {
    await runOnce(suite, rest, options, log, verdicts);
    if (options.signal?.aborted) break;
    if (left().length < rest.length) continue;
    // It comes to none of them: it does not know them, or cannot begin.
    for (const name of rest) verdicts.set(name, 'broken');
  }
  // Whole when it is told where it is.
  await new Promise<void>((written) => log.end(written));
  return verdicts;
}

/** Until all have ended, or one has hung or ended the suite with it. */
async function runOnce(
  suite: Suite,
  names: readonly string[],
  { daprd, longestMs = LONGEST_MS, signal }: RunOptions,
  log: WriteStream,
  verdicts: Map<string, Verdict>,
): Promise<void> {
  const child = start(suite, names, daprd);
  const known = new Set(names);
  let current: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  const end = () => killGroup(child);
  signal?.addEventListener('abort', end, { once: true });
  child.stderr!.pipe(log, { end: false });
  for await (const line of createInterface({ input: child.stdout! })) {
    log.write(`${line}\n`);
    const told = readLine(line, known);
    if (told === undefined) continue;
    clearTimeout(timer);
    current = told.kind === 'begun' ? told.name : undefined;
    if (told.kind === 'ended') verdicts.set(told.name, told.verdict);
    else {
      timer = setTimeout(() => {
        verdicts.set(told.name, 'hung');
        end();
      }, longestMs);
    }
  }
  clearTimeout(timer);
  signal?.removeEventListener('abort', end);
  if (current === undefined || verdicts.has(current) || signal?.aborted) return;
  verdicts.set(current, 'broken');
}

function start({ executable, folder }: Suite, names: readonly string[], daprd: string) {
  const env: Record<string, string | undefined> = {
    ...process.env,
    DAPR_INTEGRATION_DAPRD_PATH: daprd,
    // With fewer than the cases it has in hand, one failed assertion stops the suite for good.
    DAPR_INTEGRATION_PARALLEL_WORKERS: '20000',
    DAPR_HOST_IP: '127.0.0.1',
  };
  for (const name of [...ABSENT, ...HELPERS]) {
    env[`DAPR_INTEGRATION_${name.toUpperCase()}_PATH`] = '/bin/false';
  }
  const focus = `^(?:${names.join('|')})$`;
  // We keep the time ourselves: its own limit would end all cases for one.
  const how = ['-test.run', 'Test_Integration', '-test.v=test2json', '-test.timeout', '0'];
  const suite = [executable, ...how, '-integration-parallel=false', '-focus', focus];
  const [command, ...args] = [...alone(), ...suite];
  return spawn(command!, args, {
    cwd: folder,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Its own group: the suite, and the sidecars it has started. */
function killGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

let found: readonly string[] | undefined;

/**
 * Puts a command into a network of its own, whose ports nobody else uses, and among processes of its own, so that none outlives it;
 * nothing where that is not allowed.
 */
function alone(): readonly string[] {
  found ??= WAYS.map((way) => [...way, ...OWN, 'bash', '-c', SCRIPT, '_']).find(
    ([command, ...args]) => spawnSync(command!, [...args, 'true']).status === 0,
  );
  if (found === undefined) {
    console.log(
      'Cases share the network of this machine, since `unshare` (util-linux) and `ip` (iproute2) are not there or not allowed: ports that are taken make cases fail.',
    );
    found = [];
  }
  return found;
}

const WAYS = [['unshare'], ['unshare', '--map-root-user']];
const OWN = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
/** The suite takes free ports itself, from below those. The shell stays, for it buries what is left without a parent. */
const SCRIPT =
  'ip link set lo up && echo 50000 65000 > /proc/sys/net/ipv4/ip_local_port_range; "$@"; exit';
