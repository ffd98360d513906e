import { openJobs } from '@holdfast/messaging';
import type { Place } from './place.ts';
import { BODY, Count, type Queue } from './queue.ts';

/** With a worker that waits, of concurrency 100; a job is done when the store has marked it so. */
export async function jobsQueue({ end, engine, store }: Place): Promise<Queue> {
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
    name: `jobs on ${engine}`,
    engine,
    single: () => group(1),
    group,
    async close() {
      await jobs.close();
      await end();
    },
  };
}
