import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { eventually } from '../../../packages/messaging/src/testing/eventually.ts';
import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import { type RedisServer, redisServer } from './redis.ts';
import type { ServerProcess } from './server-process.ts';
import { Unavailable } from './with-server.ts';

const run = promisify(execFile);

export interface RedisCluster {
  /** Of the first node; `remove` removes them all. */
  readonly process: ServerProcess;
  readonly nodes: readonly RedisServer[];
}

const MASTERS = 3;
const PATIENCE_MS = 180_000;

/**
 * Three masters that share the slots among them, without replicas. Each talks to the others over a port of
 * its own, 10,000 above the first if nobody says which: there any outgoing connection may have taken it.
 */
export async function redisCluster(): Promise<RedisCluster | Unavailable> {
  const cli = findProgram('redis-cli');
  if (cli === undefined) return new Unavailable('Redis', 'redis-cli');
  const nodes: RedisServer[] = [];
  const remove = async () => {
    await Promise.all(nodes.map(({ process }) => process.remove()));
  };
  try {
    for (let n = 0; n < MASTERS; n += 1) {
      const bus = ['--cluster-port', String(await freePort())];
      const node = await redisServer(['--cluster-enabled', 'yes', ...bus]);
      if (node instanceof Unavailable) return node;
      nodes.push(node);
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    await run(cli, ['--cluster', 'create', ...addresses, '--cluster-yes'], {
      timeout: PATIENCE_MS,
    });
    await Promise.all(nodes.map(({ port }) => untilUp(cli, port)));
  } catch (error) {
    await remove();
    throw error;
  }
  return { nodes, process: { ...nodes[0]!.process, remove } };
}

/** Each node must have heard of all slots, or it refuses commands. */
async function untilUp(cli: string, port: number): Promise<void> {
  await eventually(
    async () => (await run(cli, ['-p', String(port), 'cluster', 'info'])).stdout,
    (said) => said.includes('cluster_state:ok'),
    `the Redis node on port ${port} is part of its cluster`,
  );
}
