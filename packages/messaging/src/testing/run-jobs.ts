import type { Random } from '@holdfast/core';
import { seededRandom, VirtualClock } from '@holdfast/core/testing';
import { memoryStore } from '../memory-store.ts';
import type { MessageStore, StoreStats } from '../store.ts';
import type { WorkerEvent } from '../worker/events.ts';
import { type Jobs, openJobs } from '../worker/jobs.ts';
import type { JobHandlers } from '../worker/kind.ts';
import type { WorkerOptions } from '../worker/options.ts';
import type { Worker } from '../worker/worker.ts';

export interface JobsWorld {
  readonly jobs: Jobs;
  readonly worker: Worker;
  readonly clock: VirtualClock;
  readonly store: MessageStore;
  readonly events: WorkerEvent[];
  /** Enqueues jobs of these ids for the topic `work`. */
  enqueue(...ids: string[]): Promise<void>;
}

/** A worker in virtual time with jobs in memory: runs `body` and returns what happened. */
export async function runJobs<T>(
  handlers: JobHandlers,
  body: (world: JobsWorld) => Promise<T>,
  {
    storeOf = (real) => real,
    random = seededRandom(1),
    ...options
  }: WorkerOptions & {
    readonly storeOf?: (real: MessageStore) => MessageStore;
    readonly random?: Random;
  } = {},
): Promise<{
  readonly result: T;
  readonly events: readonly WorkerEvent[];
  readonly stats: StoreStats;
  readonly leftTimers: number;
}> {
  const clock = new VirtualClock();
  const store = storeOf(memoryStore({ clock }));
  const jobs = await openJobs({ store, clock });
  const events: WorkerEvent[] = [];
  return clock.run(async () => {
    const worker = jobs.work(handlers, {
      jitter: 'none',
      random,
      onEvent: (event) => events.push(event),
      ...options,
    });
    const enqueue = async (...ids: string[]) => {
      await jobs.enqueue(ids.map((id) => ({ id, topic: 'work', body: id })));
    };
    const result = await body({ jobs, worker, clock, store, events, enqueue });
    const stats = await jobs.stats();
    await jobs.close();
    return { result, events, stats, leftTimers: clock.pendingTimers };
  });
}

/** Events as short texts: `failed a#1`. */
export function shortly(events: readonly WorkerEvent[]): readonly string[] {
  return events.map((event) =>
    'id' in event ? `${event.type} ${event.id}#${event.delivery}` : event.type,
  );
}
