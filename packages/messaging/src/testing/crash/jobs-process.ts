import { setTimeout as sleep } from 'node:timers/promises';
import { sqliteStore } from '../../sqlite/index.ts';
import { drainOnSignals } from '../../worker/drain-on-signals.ts';
import type { Job } from '../../worker/job.ts';
import { openJobs } from '../../worker/jobs.ts';

/**
 * A worker to be killed: `jobs-process.ts FILE LEASE_MS`. Prints what happens to each job. Topics:
 * `quick` takes 300 ms, `hang` ends by its signal alone, `kill` ends the process.
 */
const [path = '', leaseMs = '1000'] = process.argv.slice(2);
const jobs = await openJobs({ store: sqliteStore({ path, busyTimeoutMs: 5_000 }) });
const say = (line: string) => process.stdout.write(`${line}\n`);

const worker = jobs.work(
  {
    async quick({ id, delivery }: Job) {
      say(`begun ${id}#${delivery}`);
      await sleep(300);
      say(`done ${id}#${delivery}`);
    },
    hang({ id, delivery, signal }: Job) {
      say(`begun ${id}#${delivery}`);
      return new Promise<void>((_, reject) => {
        signal.addEventListener('abort', () => {
          say(`aborted ${id}#${delivery} ${signal.reason.code}`);
          reject(signal.reason);
        });
      });
    },
    async kill({ id, delivery }: Job) {
      say(`begun ${id}#${delivery}`);
      await sleep(50);
      process.kill(process.pid, 'SIGKILL');
      await sleep(10_000);
    },
  },
  { leaseMs: Number(leaseMs), pollMs: 20, maxDeliveries: 3, graceMs: 1_000 },
);
drainOnSignals([worker, jobs], process);
say('ready');
