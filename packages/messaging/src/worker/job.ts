import type { Message } from '../message.ts';

/** A job in a handler's hands. */
export interface Job extends Message {
  /** 1 the first time it is handed over; counts failures and workers that died with it. */
  readonly delivery: number;
  /** Aborts when the job is cancelled, takes too long, loses its lease, or its worker has to stop. */
  readonly signal: AbortSignal;
  /** Time left before it counts as failed, in milliseconds; `Infinity` where nothing limits it. */
  readonly remainingMs: number;
  /**
   * Says how far it is, in up to 200 characters: in events and in the worker's snapshot at once, and in `status`
   * of every process on the same store within the worker's `progressMs`.
   */
  progress(text: string): void;
  /**
   * Has a text kept with the job when it is done: `status` has it for the `resultLifetimeMs` of its topic. The last one said counts;
   * nothing is kept of a delivery that fails. Throws a `RangeError` for more than 16,384 bytes of UTF-8, and a `TypeError`
   * for U+0000: keep such a result elsewhere, and say here where.
   */
  result(text: string): void;
}

export type JobHandler = (job: Job) => Promise<void> | void;

/** Handles many jobs with one call; all have failed when it throws, or those that `JobsFailedError` names. */
export type BatchHandler = (jobs: readonly Job[]) => Promise<void> | void;
