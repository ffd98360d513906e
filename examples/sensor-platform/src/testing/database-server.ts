import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@holdfast/core';
import { freePorts } from 'holdfast';
import { removeHome } from '../postgres/home.ts';
import { answers } from '../service/broker.ts';

/** A real PostgreSQL in a temporary folder. */
export interface DatabaseServer {
  readonly url: string;
  readonly passwordFile: string;
  /** The temporary folder; removed with it. */
  readonly folder: string;
  /** The process that `start` started; its pid is the postmaster's. */
  readonly process: () => ChildProcess;
  start(): Promise<void>;
  kill(): Promise<void>;
  remove(): Promise<void>;
}

export async function databaseServer(): Promise<DatabaseServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sensor-platform-test-'));
  await chmod(folder, 0o755); // root's database runs as another user
  const home = join(folder, 'database');
  const [port = 0] = await freePorts(1);
  const program = new URL('../postgres/postgres-process.ts', import.meta.url).pathname;
  let child: ChildProcess | undefined;

  const server: DatabaseServer = {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    passwordFile: join(home, 'pgpass'),
    folder,
    process() {
      if (child === undefined) throw new Error('The database was not started.');
      return child;
    },
    async start() {
      const args = ['--conditions=source', program, '--home', home, '--port', String(port)];
      child = spawn(process.execPath, args, { stdio: 'ignore' });
      while (!(await answers(`tcp://127.0.0.1:${port}`))) {
        if (child.exitCode !== null) throw new Error(`PostgreSQL ended with ${child.exitCode}.`);
        await systemClock.sleep(20);
      }
    },
    async kill() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
    async remove() {
      await server.kill();
      await removeHome(home);
      await rm(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}
