import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { postgresStore } from '../../postgres/index.ts';
import { sqliteStore } from '../../sqlite/index.ts';
import type { MessageStore } from '../../store.ts';
import { drainOnSignals } from '../../worker/drain-on-signals.ts';
import type { Job } from '../../worker/job.ts';
import { openJobs } from '../../worker/jobs.ts';

/**
 * A worker to be killed: `jobs-process.ts FILE LEASE_MS`, or `URL#SCHEMA` of PostgreSQL for the file. Prints
 * what happens to each job. Topics: `quick` takes 300 ms, `hang` ends by its signal alone, `kill` ends
 * the process, `tell` says `half` and hangs.
 */
const [path = '', leaseMs = '1000'] = process.argv.slice(2);
const jobs = await openJobs({ store: storeAt(path) });
const say = (line: string) => process.stdout.write(`${line}\n`);

const worker = jobs.work(
  {
    async quick({ id, delivery }: Job) {
      say(`begun ${id}#${delivery}`);
      await sleep(300);
      say(`done ${id}#${delivery}`);
    },
    tell(job: Job) {
      job.progress('begun');
      job.progress('half');
      return hang(job);
    },
    hang,
    async kill({ id, delivery }: Job) {
      say(`begun ${id}#${delivery}`);
      await sleep(50);
      process.kill(process.pid, 'SIGKILL');
      await sleep(10_000);
    },
  },
  { leaseMs: Number(leaseMs), pollMs: 20, maxDeliveries: 3, graceMs: 1_000, progressMs: 100 },
);
drainOnSignals([worker, jobs], process);
say('ready');

function hang({ id, delivery, signal }: Job) {
  say(`begun ${id}#${delivery}`);
  return new Promise<void>((_, reject) => {
    signal.addEventListener('abort', () => {
      say(`aborted ${id}#${delivery} ${signal.reason.code}`);
      reject(signal.reason);
    });
  });
}

function storeAt(place: string): MessageStore {
  const [connectionString, schema] = place.split('#');
  if (schema === undefined) return sqliteStore({ path: place, busyTimeoutMs: 5_000 });
  return postgresStore({ pool: new Pool({ connectionString, max: 3 }), schema });
}
