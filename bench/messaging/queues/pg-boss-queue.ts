import { peer } from '../../peer.ts';
import { BODY, type Queue } from './queue.ts';

interface Boss {
  start(): Promise<unknown>;
  stop(options: object): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  createQueue(name: string): Promise<void>;
  send(name: string, data: object): Promise<string | null>;
  insert(name: string, jobs: readonly { data: object }[]): Promise<unknown>;
  fetch(name: string, options?: { batchSize: number }): Promise<readonly { id: string }[]>;
  complete(name: string, ids: readonly string[]): Promise<unknown>;
}

/** By `fetch` and `complete`: its worker looks every two seconds. */
export async function pgBossQueue(connectionString: string): Promise<Queue> {
  const { PgBoss } = await peer<{ PgBoss: new (options: object) => Boss }>('pg-boss/dist/index.js');
  const boss = new PgBoss({ connectionString, supervise: false, schedule: false });
  boss.on('error', (error) => console.error(error));
  await boss.start();
  await boss.createQueue('bench');
  const finish = async (count: number) => {
    const jobs = await boss.fetch('bench', { batchSize: count });
    if (jobs.length !== count) throw new Error('not all were there');
    await boss.complete(
      'bench',
      jobs.map(({ id }) => id),
    );
  };
  return {
    name: 'pg-boss',
    engine: 'PostgreSQL',
    async single() {
      await boss.send('bench', BODY);
      await finish(1);
    },
    async group(count) {
      await boss.insert(
        'bench',
        Array.from({ length: count }, () => ({ data: BODY })),
      );
      await finish(count);
    },
    close: () => boss.stop({ graceful: false }),
  };
}
