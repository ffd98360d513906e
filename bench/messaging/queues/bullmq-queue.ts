import { peer } from '../../peer.ts';
import { BODY, Count, type Queue } from './queue.ts';

interface BullMq {
  readonly Queue: new (
    name: string,
    options: object,
  ) => {
    add(name: string, data: object, options: object): Promise<unknown>;
    addBulk(jobs: readonly { name: string; data: object; opts: object }[]): Promise<unknown>;
    close(): Promise<void>;
  };
  readonly Worker: new (
    name: string,
    handler: () => Promise<void>,
    options: object,
  ) => {
    on(event: 'completed', listener: () => void): unknown;
    waitUntilReady(): Promise<unknown>;
    close(): Promise<void>;
  };
}

/** With a worker that waits, which is how it is used. Finished jobs are removed. */
export async function bullMqQueue(port: number): Promise<Queue> {
  const { default: bull } = await peer<{ default: BullMq }>('bullmq/dist/cjs/index.js');
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
  const queue = new bull.Queue('bench', { connection });
  const worker = new bull.Worker('bench', async () => {}, { connection, concurrency: 100 });
  const done = new Count();
  worker.on('completed', () => done.one());
  await worker.waitUntilReady();
  const opts = { removeOnComplete: true };
  return {
    name: 'BullMQ',
    engine: 'Redis',
    async single() {
      const all = done.of(1);
      await queue.add('event', BODY, opts);
      await all;
    },
    async group(count) {
      const all = done.of(count);
      await queue.addBulk(
        Array.from({ length: count }, () => ({ name: 'event', data: BODY, opts })),
      );
      await all;
    },
    async close() {
      await worker.close();
      await queue.close();
    },
  };
}
