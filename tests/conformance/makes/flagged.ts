import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { freePort } from '@holdfast/test-servers';
import { ready } from './one-sidecar.ts';

/** As people start it: what `npm test` has built, or the source where that is newer. */
const HOLDFASTD = path.resolve(import.meta.dirname, '../../../packages/cli/bin/holdfastd.mjs');

/** A sidecar of either make as a process of its own, started by a command line. */
export interface Flagged {
  readonly child: ChildProcess;
  readonly ports: {
    readonly http: number;
    readonly grpc: number;
    readonly internal: number;
    readonly metrics: number;
  };
  /** Its exit status, and the signal that ended it. */
  readonly exited: Promise<readonly [number | null, NodeJS.Signals | null]>;
  /** What it has logged. */
  said(): string;
  /** Kills it, and takes its folder away. */
  stop(): Promise<void>;
}

export interface FlaggedSetup {
  readonly flags: Readonly<Record<string, string | number | true>>;
  readonly env?: Readonly<Record<string, string>>;
  /** By file name. */
  readonly resources?: Readonly<Record<string, string>>;
  /** @default true: it is ready when this resolves */
  readonly wait?: boolean;
}

/** A port that was free may be taken before the sidecar listens on it. */
const TRIES = 3;

/** Starts `--app-id probe` and the flags given, which both makes take in the same words. */
export async function startFlagged(
  daprd: string | undefined,
  setup: FlaggedSetup,
): Promise<Flagged> {
  for (let tries = 1; ; tries += 1) {
    const started = await spawnFlagged(daprd, setup);
    if (setup.wait === false) return started;
    const { exited, ports, said, stop } = started;
    try {
      const up = await Promise.race([ready(ports.http).then(() => true), exited.then(() => false)]);
      if (up) return started;
      const taken = /Port \d+.* is taken|address already in use/.test(said());
      if (!taken || tries === TRIES) throw new Error('It ended while it was starting.');
      await stop();
    } catch (error) {
      await stop();
      throw new Error(`${said()}\n${error}`);
    }
  }
}

async function spawnFlagged(
  daprd: string | undefined,
  { flags, env = {}, resources = {} }: FlaggedSetup,
): Promise<Flagged> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-flags-'));
  for (const [name, text] of Object.entries(resources)) {
    await writeFile(path.join(folder, name), text);
  }
  const [http, grpc, internal, metrics] = await Promise.all([1, 2, 3, 4].map(() => freePort()));
  const all: FlaggedSetup['flags'] = {
    'app-id': 'probe',
    'dapr-http-port': http!,
    'dapr-grpc-port': grpc!,
    'dapr-internal-grpc-port': internal!,
    'metrics-port': metrics!,
    'dapr-listen-addresses': '127.0.0.1',
    'resources-path': folder,
    ...flags,
  };
  const args = Object.entries(all).map(([name, value]) =>
    value === true ? `--${name}` : `--${name}=${value}`,
  );
  const [command, ...before] = daprd === undefined ? [process.execPath, HOLDFASTD] : [daprd];
  const child = spawn(command!, [...before, ...args], {
    env: { ...process.env, DAPR_HOST_IP: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      said += text.toString();
    });
  }
  const exited = new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve) =>
    child.once('close', (code, signal) => resolve([code, signal])),
  );
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  const ports = { http: http!, grpc: grpc!, internal: internal!, metrics: metrics! };
  return { child, ports, exited, said: () => said, stop };
}
