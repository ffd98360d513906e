import { peer } from '../../peer.ts';
import { BODY, Count, type Queue } from './queue.ts';

interface GraphileWorker {
  run(options: object): Promise<{
    readonly events: { on(event: 'job:complete', listener: () => void): unknown };
    stop(): Promise<void>;
  }>;
  makeWorkerUtils(options: object): Promise<{
    addJob(name: string, payload: object): Promise<unknown>;
    addJobs(jobs: readonly { identifier: string; payload: object }[]): Promise<unknown>;
    release(): Promise<void>;
  }>;
  readonly Logger: new (factory: () => () => void) => object;
}

/** With ten workers that are woken by `NOTIFY`, which is how it is used. */
export async function graphileWorkerQueue(connectionString: string): Promise<Queue> {
  const { run, makeWorkerUtils, Logger } = await peer<GraphileWorker>(
    'graphile-worker/dist/index.js',
  );
  const logger = new Logger(() => () => {});
  const runner = await run({
    connectionString,
    concurrency: 10,
    noHandleSignals: true,
    logger,
    taskList: { event: async () => {} },
  });
  const utils = await makeWorkerUtils({ connectionString, logger });
  const done = new Count();
  runner.events.on('job:complete', () => done.one());
  return {
    name: 'graphile-worker',
    engine: 'PostgreSQL',
    async single() {
      const all = done.of(1);
      await utils.addJob('event', BODY);
      await all;
    },
    async group(count) {
      const all = done.of(count);
      await utils.addJobs(
        Array.from({ length: count }, () => ({ identifier: 'event', payload: BODY })),
      );
      await all;
    },
    async close() {
      await utils.release();
      await runner.stop();
    },
  };
}
