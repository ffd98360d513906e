import type { Clock } from '@holdfast/core';
import type { Consumer } from '../open-queue.ts';
import type { MessageStore } from '../store.ts';
import { type JobHandlers, kindsOf } from './kind.ts';
import { resolveWorkerOptions, type WorkerOptions } from './options.ts';
import { StoreWorker } from './store-worker.ts';

/** Handles the jobs of a store, until it is stopped. */
export interface Worker extends Consumer {
  inspect(): WorkerSnapshot;
  /**
   * Takes no more jobs until `resume`: those that wait stay for others, or for later. Resolves when those at work have
   * ended. It is this worker alone that pauses; give a topic a worker of its own where it is to pause by itself.
   */
  pause(): Promise<void>;
  /** Takes jobs again; without a pause before it, of no effect. */
  resume(): void;
  /**
   * Takes no more jobs, and resolves when those at work have ended. What has not after `graceMs` is
   * aborted and given back, and does not count as a delivery. @default the worker's `graceMs`
   */
  stop(options?: { readonly graceMs?: number }): Promise<void>;
}

export interface WorkerSnapshot {
  /** `paused`: it was told to, or the store cannot be used now (`problem`). */
  readonly state: 'idle' | 'working' | 'paused' | 'stopping' | 'stopped';
  /** Jobs in handlers' hands. */
  readonly inFlight: number;
  readonly concurrency: number;
  /** How busy its hands were over the last `windowMs`: 0 … 1. Near 1 for long: it needs help. */
  readonly utilisation: number;
  /** How long the job that has been at work the longest has been so; 0 when none is. */
  readonly oldestMs: number;
  /** Since the worker began. `failed` counts deliveries, the others jobs. */
  readonly done: number;
  readonly failed: number;
  readonly dead: number;
  readonly running: readonly RunningJob[];
  /** Why it is paused. */
  readonly problem: unknown;
}

export interface RunningJob {
  readonly id: string;
  readonly topic: string;
  readonly delivery: number;
  readonly forMs: number;
  /** What its handler said last with `job.progress`. */
  readonly progress: string | undefined;
}

/** A worker as the jobs it belongs to know it. */
export interface JobWorker extends Worker {
  /** A job was withdrawn by this process. */
  cancelled(id: string): void;
  /** It has the job in hand, begun or not. */
  holds(id: string): boolean;
  runningJob(id: string): RunningJob | undefined;
}

export function startWorker(
  store: MessageStore,
  handlers: JobHandlers,
  given: WorkerOptions & { readonly clock: Clock },
): JobWorker {
  const options = resolveWorkerOptions(given, given.clock);
  return new StoreWorker(store, kindsOf(handlers, options), options);
}
