import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Witness } from '../books/bookkeeping.ts';
import type { ProcessControl } from '../run/process-control.ts';

const PROGRAM = fileURLToPath(new URL('./stand-in.ts', import.meta.url));

export type Character = 'durable' | 'lossy' | 'twice' | 'ghost';

/** The stand-in, running as the process "service", with what a drill needs to be held on it. */
export interface StandIn {
  readonly baseUrl: string;
  readonly directory: string;
  readonly control: ProcessControl;
  readonly witness: Witness;
  stop(): Promise<void>;
}

export async function startStandIn(character: Character): Promise<StandIn> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-drill-'));
  let port = 0;
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    child = spawn(process.execPath, [PROGRAM, directory, String(port), character], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    [port] = (await once(child, 'message')) as [number];
  };
  const isUp = () => child?.exitCode === null && child.signalCode === null;
  const linesOf = async (name: string) => {
    const path = join(directory, name);
    return existsSync(path) ? (await readFile(path, 'utf8')).split('\n').slice(0, -1) : [];
  };

  await start();
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    directory,
    control: {
      async ps() {
        const state = isUp() ? 'running' : 'down';
        const pid = isUp() ? (child?.pid ?? null) : null;
        return [{ name: 'service', role: 'service', pid, ports: { http: port }, state }];
      },
      async kill() {
        child?.kill('SIGKILL');
      },
      start,
    },
    witness: {
      mark: async () => String((await linesOf('sink')).length),
      arrivalsSince: async (mark) =>
        (await linesOf('sink')).slice(Number(mark)).map((id) => ({ id })),
      async whereabouts(ids) {
        const queue = new Set(await linesOf('queue'));
        return { queued: ids.filter((id) => queue.has(id)), dead: [] };
      },
    },
    async stop() {
      if (isUp() && child !== undefined) {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }
      await rm(directory, { recursive: true, force: true });
    },
  };
}
