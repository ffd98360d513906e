import { unavailable } from '../accept/accept-queue.ts';
import type { DeadLetters } from '../dead/dead-letters.ts';
import { OutboxRefusedError } from '../errors.ts';
import type { NewMessage, Receipt } from '../message.ts';
import { openQueue, type PauseChoice } from '../open-queue.ts';
import type { OutboxOptions } from '../outbox-options.ts';
import type { HistoryEntry, MessageStatus, QueuedPage, StoreStats } from '../store.ts';
import type { JobHandlers } from './kind.ts';
import type { WorkerOptions } from './options.ts';
import { type Schedule, type ScheduledMessage, startSchedule, type When } from './schedule.ts';
import { withdrawAll } from './withdraw-all.ts';
import { type JobWorker, startWorker, type Worker } from './worker.ts';

/** As of an outbox: a store of its own (no relay may have the same one), limits, how long the dead are kept. */
export type JobsOptions = OutboxOptions;

/** Work to be done later, by workers in this process or in others on the same store. */
export interface Jobs {
  /**
   * Keeps all of `messages` or none, and resolves when they are on disk. `topic` is the job's name: what
   * a worker has its handler under. The rest is an outbox's `accept`.
   */
  enqueue(messages: readonly NewMessage[]): Promise<readonly Receipt[]>;

  /** Begins to handle jobs of these topics, side by side with whoever else does, until it is stopped. */
  work(handlers: JobHandlers, options?: WorkerOptions): Worker;

  /**
   * Takes a job back: one that waits is never begun; of one at work the handler's signal aborts, at once
   * in this process, and in another when it next renews its lease. False where it is over already.
   */
  cancel(id: string): Promise<boolean>;

  /**
   * Takes back every job of a topic that waits or is at work, as `cancel` does; what is enqueued meanwhile may be among
   * them. How many it was.
   */
  cancelAll(choice: { readonly topic: string }): Promise<number>;

  /**
   * Has workers leave a topic's jobs where they are, in all processes and across restarts, until it is resumed or
   * `forMs` is over; what a worker has in hand is finished, and jobs may be enqueued. `stats().paused` says which are. False where it
   * was paused already: the end it has then is this one. A handler may call it, of its own topic, too.
   */
  pause(choice: PauseChoice): Promise<boolean>;
  /** Ends a pause: the workers of this process look at once, as do others on PostgreSQL; else within `pollMs`. False where there was none. */
  resume(choice: { readonly topic: string }): Promise<boolean>;

  /** What became of a job; undefined for an unknown id, or one done long ago. */
  status(id: string): Promise<JobStatus | undefined>;

  /** Rejects with `OutboxRefusedError` while the store cannot be read. */
  stats(): Promise<StoreStats>;

  /** What waits, in order, jobs at work included; as of an outbox. */
  waiting(options?: { readonly limit?: number; readonly after?: number }): Promise<QueuedPage>;

  /** Enqueues a job again and again; several processes with the same schedule enqueue each tick once. */
  schedule(name: string, when: When, message: ScheduledMessage): Schedule;

  readonly dead: DeadLetters;

  /** Ends schedules and workers, which finish or give back what they have, then closes the store. */
  close(): Promise<void>;
}

export interface JobStatus {
  readonly id: string;
  /** `running`: a worker has it in hand, in this process or in another; of one that was killed until its lease is over. */
  readonly state: 'queued' | 'running' | 'done' | 'dead' | 'cancelled' | 'replaced';
  readonly deliveries: number;
  /** What its handler said last while it runs; from another process up to `progressMs` of its worker old. */
  readonly progress: string | undefined;
  /** What its handler said with `job.result`, of one that is done, for the `resultLifetimeMs` of its topic. */
  readonly result: string | undefined;
  readonly history: readonly HistoryEntry[];
}

/** Opens a queue of jobs. As `openOutbox` it does not wait for a store that is away. */
export async function openJobs(given: JobsOptions): Promise<Jobs> {
  const { store, clock, tracer, accept, attach, find, close, ...queue } = await openQueue(given);
  const shared = { clock, ...(tracer && { tracer }) };
  const workers = new Set<JobWorker>();
  const schedules = new Set<Schedule>();
  let closed = false;
  const refuseIfClosed = () => {
    if (!closed) return;
    throw new OutboxRefusedError('OUTBOX_CLOSED', 'These jobs were closed by this process.');
  };

  return {
    ...queue,
    enqueue: accept,
    work(handlers, options = {}) {
      refuseIfClosed();
      const worker = attach(startWorker(store, handlers, { ...shared, ...options }));
      workers.add(worker);
      void worker.ended.then(() => workers.delete(worker));
      return worker;
    },
    async cancel(id) {
      const cancelled = (await store.withdraw([id]).catch(rethrowUnavailable)) === 1;
      if (cancelled) for (const worker of workers) worker.cancelled(id);
      return cancelled;
    },
    async cancelAll({ topic }) {
      const each = async (ids: readonly string[]) => {
        for (const id of ids) {
          const inHand = workers.values().some((worker) => worker.holds(id));
          // It may be done: only who is told so by the store is aborted.
          if (!inHand || (await find(id))?.state !== 'withdrawn') continue;
          for (const worker of workers) worker.cancelled(id);
        }
      };
      return withdrawAll(store, topic, each).catch(rethrowUnavailable);
    },
    async status(id) {
      const found = await find(id);
      return found && statusOf(found, [...workers]);
    },
    schedule(name, when, message) {
      refuseIfClosed();
      const schedule = startSchedule({ name, when, message, accept, clock });
      schedules.add(schedule);
      void schedule.ended.then(() => schedules.delete(schedule));
      return schedule;
    },
    async close() {
      closed = true;
      await Promise.all([...schedules].map((schedule) => schedule.stop()));
      await close();
    },
  };
}

function statusOf(found: MessageStatus, workers: readonly JobWorker[]): JobStatus {
  const { id, deliveries, result, history } = found;
  const job = workers.map((worker) => worker.runningJob(id)).find((each) => each !== undefined);
  const running = found.state === 'queued' && (found.leased || job !== undefined);
  if (!running) {
    return { id, state: STATES[found.state], deliveries, progress: undefined, result, history };
  }
  // Its own process knows more than the store.
  const progress = job?.progress ?? found.progress;
  return { id, state: 'running', deliveries, progress, result: undefined, history };
}

function rethrowUnavailable(error: unknown): never {
  throw unavailable(error);
}

/** A store's words in those of jobs. */
const STATES = {
  queued: 'queued',
  delivered: 'done',
  dead: 'dead',
  withdrawn: 'cancelled',
  replaced: 'replaced',
} as const;
