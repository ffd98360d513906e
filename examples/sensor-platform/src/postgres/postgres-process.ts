/**
 * Runs one PostgreSQL server: `postgres-process.ts --home DIR --port N`.
 *
 * It makes the cluster at first start and clears what a killed server left.
 * Then it does not start the server but becomes it: the process that was
 * started is the postmaster, so killing it kills the database itself.
 */
import { spawn } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '@holdfast/core';
import { type Account, unprivilegedAccount } from './account.ts';
import { findPostgres } from './binaries.ts';
import { makeCluster } from './cluster.ts';
import { makeHome } from './home.ts';
import { clearLeftovers } from './leftovers.ts';

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // What was committed survives SIGKILL and power loss alike; a demonstration of
  // durability with these switched off would demonstrate nothing.
  fsync: 'on',
  synchronous_commit: 'on',
  // Small: two of these run on a laptop beside everything else.
  max_connections: '30',
  shared_buffers: '32MB',
  io_method: 'sync',
};

await main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { home: { type: 'string' }, port: { type: 'string' } } });
  if (values.home === undefined || values.port === undefined) {
    throw new TypeError('postgres-process needs --home DIRECTORY and --port NUMBER.');
  }
  const isRoot = process.getuid?.() === 0;
  const account = isRoot ? unprivilegedAccount(await readFile('/etc/passwd', 'utf8')) : undefined;
  const native = await findPostgres(process.platform, process.arch);
  const directory = resolve(values.home);
  const home = await makeHome(directory, native, account);
  await makeCluster(home, join(directory, 'pgpass'), account);
  const data = await realpath(home.data);
  await clearLeftovers(data, systemClock);

  const settings = Object.entries({ ...SETTINGS, port: values.port });
  const program = join(home.native, 'bin', 'postgres');
  become(program, ['-D', data, ...settings.flatMap(([k, v]) => ['-c', `${k}=${v}`])], account);
}

/** Ends this program and begins `program` in its process, as `account` where there is one. */
function become(program: string, args: readonly string[], account: Account | undefined): void {
  const env = { PATH: process.env.PATH ?? '', TZ: 'UTC' };
  if (process.execve === undefined || process.platform === 'win32') {
    // Windows cannot replace a process: there the server is a child, and ends when this one is told to.
    const server = spawn(program, args, { stdio: 'inherit', env });
    const stop = () => server.kill('SIGINT');
    process.on('SIGTERM', stop).on('SIGINT', stop);
    server.on('exit', (code) => process.exit(code ?? 1));
    return;
  }
  process.removeAllListeners('warning').on('warning', () => {}); // execve says that it is experimental
  if (account !== undefined) {
    process.setgroups?.([account.gid]);
    process.setgid?.(account.gid);
    process.setuid?.(account.uid);
  }
  process.execve(program, [program, ...args], env);
}
