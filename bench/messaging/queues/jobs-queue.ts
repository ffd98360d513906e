import { type MessageStore, openJobs } from '@holdfast/messaging';
import { postgresStore } from '@holdfast/messaging/postgres';
import { sqliteStore } from '@holdfast/messaging/sqlite';
import { Pool } from 'pg';
import { BODY, Count, type Queue } from './queue.ts';

export function jobsOnSqlite(path: string): Promise<Queue> {
  return jobsQueue('jobs on SQLite', 'SQLite', sqliteStore({ path }), async () => {});
}

export function jobsOnPostgres(url: string): Promise<Queue> {
  const pool = new Pool({ connectionString: url });
  const store = postgresStore({ pool, schema: 'bench_jobs' });
  return jobsQueue('jobs on PostgreSQL', 'PostgreSQL', store, () => pool.end());
}

/** With a worker that waits, of concurrency 100; a job is done when the store has marked it so. */
async function jobsQueue(
  name: string,
  engine: Queue['engine'],
  store: MessageStore,
  end: () => Promise<void>,
): Promise<Queue> {
  const jobs = await openJobs({ store });
  const body = JSON.stringify(BODY);
  const done = new Count();
  jobs.work(
    { event: async () => {} },
    { concurrency: 100, onEvent: ({ type }) => type === 'done' && done.one() },
  );
  const group = async (count: number) => {
    const all = done.of(count);
    await jobs.enqueue(Array.from({ length: count }, () => ({ topic: 'event', body })));
    await all;
  };
  return {
    name,
    engine,
    single: () => group(1),
    group,
    async close() {
      await jobs.close();
      await end();
    },
  };
}
