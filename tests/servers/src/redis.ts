import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import { Unavailable } from './with-server.ts';

export interface RedisServer {
  readonly process: ServerProcess;
  readonly port: number;
  readonly url: string;
  /** All that it keeps, for a backup while it is down. */
  readonly folder: string;
}

/**
 * A Redis that flushes each write (`appendfsync always`), so that a SIGKILL loses nothing it acknowledged.
 * `more` are further settings, such as `--requirepass`.
 */
export async function redisServer(
  more: readonly string[] = [],
): Promise<RedisServer | Unavailable> {
  const command = findProgram('redis-server');
  if (command === undefined) return new Unavailable('Redis', 'redis-server');
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-redis-'));
  const port = await freePort();
  const args = [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
    ...['--appendonly', 'yes', '--appendfsync', 'always', '--daemonize', 'no'],
    ...more,
  ];
  const process = await startServer({
    name: 'Redis',
    command,
    args,
    port,
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  });
  return { process, port, url: `redis://127.0.0.1:${port}`, folder };
}

/** A process that watches one master, and is asked where that is. */
export async function redisSentinel(
  masterName: string,
  masterPort: number,
): Promise<RedisServer | Unavailable> {
  const command = findProgram('redis-server');
  if (command === undefined) return new Unavailable('Redis', 'redis-server');
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-sentinel-'));
  const port = await freePort();
  const file = join(folder, 'sentinel.conf');
  await writeFile(
    file,
    `port ${port}\nbind 127.0.0.1\ndir ${folder}\nsentinel monitor ${masterName} 127.0.0.1 ${masterPort} 1\n`,
  );
  const process = await startServer({
    name: 'Redis Sentinel',
    command,
    args: [file, '--sentinel'],
    port,
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  });
  return { process, port, url: `redis://127.0.0.1:${port}`, folder };
}
