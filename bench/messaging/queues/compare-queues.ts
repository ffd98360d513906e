import { join } from 'node:path';
import { postgresServer, redisServer, Unavailable } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { installPeers } from '../../peer.ts';
import { bullMqQueue } from './bullmq-queue.ts';
import { graphileWorkerQueue } from './graphile-worker-queue.ts';
import { jobsQueue } from './jobs-queue.ts';
import { outboxQueue } from './outbox-queue.ts';
import { pgBossQueue } from './pg-boss-queue.ts';
import { inPostgres, inSqlite } from './place.ts';
import { postgresBrokerQueue } from './postgres-broker-queue.ts';
import type { Queue } from './queue.ts';

const ROUNDS = 3;
const SINGLES = 60;
const GROUPS = 6;
export const GROUP = 100;

export interface Comparison {
  readonly figures: readonly QueueFigures[];
  /** Of the servers that were there: `PostgreSQL 18.1`. */
  readonly servers: readonly string[];
}

export interface QueueFigures {
  readonly name: string;
  readonly engine: Queue['engine'];
  /** Events a second: medians of the rounds. */
  readonly singles: number;
  readonly grouped: number;
}

/** Each in turn, round after round, on one disk, every one of them flushing what it has acknowledged. */
export async function compareQueues(directory: string): Promise<Comparison> {
  installPeers();
  const postgres = await postgresServer();
  const redis = await redisServer();
  const queues: Queue[] = [];
  const servers: string[] = [];
  try {
    queues.push(await outboxQueue(inSqlite(join(directory, 'queues.db'))));
    queues.push(await jobsQueue(inSqlite(join(directory, 'jobs.db'))));
    if (postgres instanceof Unavailable) console.log(postgres.why);
    else {
      servers.push(await postgresVersion(postgres.url));
      queues.push(await outboxQueue(inPostgres(postgres.url, 'bench_outbox')));
      queues.push(await jobsQueue(inPostgres(postgres.url, 'bench_jobs')));
      queues.push(await postgresBrokerQueue(postgres.url));
      queues.push(await pgBossQueue(postgres.url));
      queues.push(await graphileWorkerQueue(postgres.url));
    }
    if (redis instanceof Unavailable) console.log(redis.why);
    else {
      servers.push(await redisVersion(redis.port));
      queues.push(await bullMqQueue(redis.port));
    }
    return { figures: await rounds(queues), servers };
  } finally {
    for (const queue of queues) await queue.close();
    if (!(redis instanceof Unavailable)) await redis.process.remove();
    if (!(postgres instanceof Unavailable)) await postgres.process.remove();
  }
}

async function rounds(queues: readonly Queue[]): Promise<readonly QueueFigures[]> {
  const singles = new Map<Queue, number[]>(queues.map((queue) => [queue, []]));
  const grouped = new Map<Queue, number[]>(queues.map((queue) => [queue, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const queue of queues) {
      const single = await perSecond(SINGLES, 1, () => queue.single());
      const group = await perSecond(GROUPS, GROUP, () => queue.group(GROUP));
      // The first round warms up.
      if (round === 0) continue;
      singles.get(queue)?.push(single);
      grouped.get(queue)?.push(group);
    }
  }
  return queues.map((queue) => ({
    name: queue.name,
    engine: queue.engine,
    singles: median(singles.get(queue) ?? []),
    grouped: median(grouped.get(queue) ?? []),
  }));
}

async function postgresVersion(connectionString: string): Promise<string> {
  const client = new Client({ connectionString });
  await client.connect();
  const { rows } = await client.query('SHOW server_version');
  await client.end();
  return `PostgreSQL ${rows[0].server_version}`;
}

async function redisVersion(port: number): Promise<string> {
  const redis = new Redis(port, '127.0.0.1');
  const about = await redis.info('server');
  await redis.quit();
  return `Redis ${/redis_version:(\S+)/.exec(about)?.[1]}`;
}

async function perSecond(times: number, events: number, work: () => Promise<void>) {
  const startedMs = performance.now();
  for (let n = 0; n < times; n += 1) await work();
  return ((times * events) / (performance.now() - startedMs)) * 1_000;
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN;
}
