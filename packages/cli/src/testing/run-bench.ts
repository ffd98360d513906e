import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '@holdfast/test-servers';
import { portState } from '../supervisor/free-port.ts';
import { processIdentity } from '../supervisor/process/process-identity.ts';
import type { ProcessInfo } from '../supervisor/process/process-info.ts';

/** An app that listens on its port, tells what it was given, and ends when it is asked to. */
export const ECHO_APP = `
import { createServer } from 'node:http';
const server = createServer((request, response) => {
  const { APP_ID, APP_PORT, APP_PROTOCOL, APP_CHANNEL_ADDRESS, DAPR_HTTP_PORT, WORD } = process.env;
  response.end(JSON.stringify({ APP_ID, APP_PORT, APP_PROTOCOL, APP_CHANNEL_ADDRESS, DAPR_HTTP_PORT, WORD, path: request.url }));
});
server.listen(Number(process.env.APP_PORT), '127.0.0.1', () => console.log('listening'));
process.on('SIGTERM', () => process.exit(0));
`;

/** A folder with files in it and a home for run state, both gone when the test ends. */
export interface Bench {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Starts `holdfast`; it is killed with the test. */
  holdfast(...args: readonly string[]): Command;
  /** Starts `holdfastd`; it is killed with the test. */
  holdfastd(...args: readonly string[]): Command;
  /** Runs a program of one line of ESM; it is killed with the test. */
  program(text: string): Command;
  /** What is left in the state home and beside the files, by name; compiled code does not count. */
  leftovers(): Promise<readonly string[]>;
}

/** One `holdfast` under way. */
export interface Command {
  readonly pid: number;
  readonly done: Promise<{
    status: number | null;
    signal: string | null;
    out: string;
    err: string;
  }>;
  /** Everything it has written so far. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
}

/** As people start them: what `npm test` has built, or the source where that is newer. */
const bin = (name: string): string =>
  fileURLToPath(new URL(`../../bin/${name}.mjs`, import.meta.url));

/** Compiled code is shared by all tests of this package, or each sidecar would start anew. */
const CODE = join(tmpdir(), 'holdfast-test-code');

export async function openBench(
  t: TestContext,
  files: Readonly<Record<string, string>>,
): Promise<Bench> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-cli-')));
  const home = join(dir, 'state-home');
  await mkdir(home, { mode: 0o700 });
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(dir, name, '..'), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  const { NODE_TEST_CONTEXT: _ours, ...rest } = process.env as Record<string, string>;
  const env = { ...rest, HOLDFAST_STATE_HOME: home, NODE_COMPILE_CACHE: CODE, HOME: dir };
  const commands: Command[] = [];
  t.after(async () => {
    for (const command of commands) command.kill('SIGTERM');
    await Promise.all(commands.map((command) => command.done));
    await rm(dir, { recursive: true, force: true });
  });
  const begin = (args: readonly string[]) => {
    const command = launch(args, dir, env);
    commands.push(command);
    return command;
  };
  return {
    dir,
    env,
    holdfast: (...args) => begin([bin('holdfast'), ...args]),
    holdfastd: (...args) => begin([bin('holdfastd'), ...args]),
    program: (text) => begin(['--conditions=source', '--input-type=module', '--eval', text]),
    leftovers: async () => [
      ...(await readdir(home)).filter((name) => name !== 'code'),
      ...(await readdir(dir)).filter((name) => name === '.holdfast'),
    ],
  };
}

function launch(args: readonly string[], cwd: string, env: Bench['env']): Command {
  return watched(spawn(process.execPath, args, { cwd, env }));
}

/** Keeps what a process says until it ends. */
export function watched(child: ChildProcessWithoutNullStreams): Command {
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const done = new Promise<Awaited<Command['done']>>((resolve) =>
    child.once('close', (status, signal) => resolve({ status, signal, out, err })),
  );
  return {
    pid: child.pid!,
    done,
    output: () => out + err,
    kill: (signal) => void child.kill(signal),
  };
}

/** Resolves when a run says that it is up; fails with all it said when it ends before. */
export async function untilUp(...runs: readonly Command[]): Promise<void> {
  for (const run of runs) {
    let over = false;
    void run.done.then(() => {
      over = true;
    });
    await until('it is up', () => over || run.output().includes('is up:'));
    if (over) throw new Error(`It ended before it was up: ${run.output()}`);
  }
}

/** The processes of the one run there is. */
export async function psOf(bench: Bench): Promise<readonly ProcessInfo[]> {
  const { out, err } = await bench.holdfast('ps', '--json').done;
  if (out === '') throw new Error(err);
  return JSON.parse(out) as readonly ProcessInfo[];
}

/** Below the ports that outgoing connections and `listen(0)` take, so that no other test is given them meanwhile. */
const [FIRST_PORT, PORTS] = [12_000, 18_000];

/** Free ports for apps, which must be told theirs. */
export async function appPorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    if (!ports.includes(port) && (await portState(port)) === 'free') ports.push(port);
  }
  return ports;
}

/** Which of these processes still live. */
export function living(pids: readonly number[]): readonly number[] {
  return pids.filter((pid) => processIdentity(pid) !== undefined);
}
