import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Suite } from './build-suite.ts';

export interface RanCase {
  readonly name: string;
  readonly passed: boolean;
}

/** Other programs of a control plane; the cases that start one are not run. */
const ABSENT = ['placement', 'sentry', 'operator', 'injector', 'scheduler'];
const HELPERS = ['helmtemplate', 'mcpstdioserver', 'controllergen'];
/** A group that takes longer hangs: a failure within the suite's own workers can make it do so. */
const LONGEST_MS = 20 * 60_000;

/** Runs the cases whose names match `focus` against `daprd`, one after another; all that is printed goes to `logFile`. */
export async function runCases(
  { executable, folder }: Suite,
  daprd: string,
  focus: string,
  logFile: string,
): Promise<{ readonly cases: readonly RanCase[]; readonly hung: boolean }> {
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
  const suite = [executable, '-test.run', 'Test_Integration', '-test.v', '-test.timeout', '60m'];
  const args = [...alone(), ...suite, '-integration-parallel=false', '-focus', focus];
  mkdirSync(path.dirname(logFile), { recursive: true });
  const log = createWriteStream(logFile);
  const child = spawn(args[0]!, args.slice(1), { cwd: folder, env, detached: true });
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    // Its own group: the suite, and the sidecars it has started.
    process.kill(-child.pid!, 'SIGKILL');
  }, LONGEST_MS);
  const cases: RanCase[] = [];
  child.stderr.pipe(log, { end: false });
  for await (const line of createInterface({ input: child.stdout })) {
    log.write(`${line}\n`);
    // Of a case, not of the steps within it.
    const [, verdict, name] = /^ {4}--- (PASS|FAIL): Test_Integration\/(\S+)/.exec(line) ?? [];
    if (name !== undefined && name !== 'build_binaries') {
      cases.push({ name, passed: verdict === 'PASS' });
    }
  }
  clearTimeout(timer);
  log.end();
  return { cases, hung };
}

/** Puts a command into a network of its own, whose ports nobody else uses; nothing where that is not allowed. */
function alone(): readonly string[] {
  const script =
    'ip link set lo up && echo 50000 65000 > /proc/sys/net/ipv4/ip_local_port_range; exec "$@"';
  const wrapped = ['unshare', '--net', 'bash', '-c', script, '_'];
  const [command, ...args] = [...wrapped, 'true'];
  return spawnSync(command!, args).status === 0 ? wrapped : [];
}
