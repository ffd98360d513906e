import {
  type Clock,
  checkFunction,
  checkInteger,
  checkNumber,
  LONGEST_TIMER_MS,
  type Random,
  type RateLimitOptions,
  type RetryOptions,
  systemRandom,
} from '@holdfast/core';
import { LONGEST_HOLD_MS, LONGEST_WAIT_MS } from '../hold.ts';
import type { MessageTracer } from '../trace/message-tracer.ts';
import type { WorkerEvent } from './events.ts';

/** How jobs are handled: of a worker, or of one topic, where it takes the place of the worker's. */
export interface JobRules {
  /** Deliveries after which a job that has not succeeded is dead. @default 5 (1 … 1_000) */
  readonly maxDeliveries?: number;
  /**
   * Before a failed job is handed over again, before jitter; doubles each time. Those of its key wait
   * with it.
   *
   * @default 1_000 ms (0 … 2^31 − 1: 24.8 days)
   */
  readonly delayMs?: number;
  /** No delay grows beyond this. @default 600_000 ms (`delayMs` … 2^31 − 1) */
  readonly maxDelayMs?: number;
  /** As of `retry` in `@holdfast/core`. @default 'full' */
  readonly jitter?: NonNullable<RetryOptions['jitter']>;
  /**
   * A handler that takes longer has failed. One that ignores its signal is left behind: it goes on in
   * the background, beside the next job, and what it says later does not count.
   *
   * @default 600_000 ms (1 … 2^31 − 1, or Infinity)
   */
  readonly timeoutMs?: number;
  /** Handlers at work at the same time. Of a topic: of those of the worker. @default 10 (1 … 10_000) */
  readonly concurrency?: number;
  /**
   * Handlers begun in an interval, as `rateLimit` in `@holdfast/core` takes it (with a `store`, shared
   * with other processes). Of a topic: beside that of the worker. A job whose turn has not come is
   * given back until it has.
   *
   * @default no limit
   */
  readonly rateLimit?: JobRate;
  /**
   * What a handler keeps with `job.result` is found for so long, and while the store remembers the id.
   *
   * @default 86_400_000 ms: a day (1 … 10 years)
   */
  readonly resultLifetimeMs?: number;
}

export type JobRate = Omit<RateLimitOptions, 'name' | 'maxWaitMs' | 'maxKeys'>;

export interface WorkerOptions extends JobRules {
  /** Names it in the registry and in errors. @default 'worker' */
  readonly name?: string;
  /**
   * How long a job is hidden from other workers; renewed at half of it while its handler runs. After a
   * SIGKILL its jobs wait this long, and another process is seen to cancel a job after half of it. A
   * handler that blocks the event loop for longer loses its job to another worker: use a thread.
   *
   * @default 30_000 ms (100 … 600_000)
   */
  readonly leaseMs?: number;
  /** Looks this often for jobs that other processes enqueued, and that have become due. @default 1_000 ms (10 … 600_000) */
  readonly pollMs?: number;
  /** `stop` waits this long for the handlers at work; then their jobs are given back. @default 20_000 ms (0 … 600_000) */
  readonly graceMs?: number;
  /** Utilisation is told of this long. @default 60_000 ms (1_000 … 3_600_000) */
  readonly windowMs?: number;
  /**
   * What handlers say with `job.progress` is written to the store so often at most, for other processes to see:
   * one small transaction for all jobs of this worker, not flushed on SQLite.
   *
   * @default 1_000 ms (100 … 600_000, or Infinity: never)
   */
  readonly progressMs?: number;
  /** Hears what the worker does. What it throws is dropped. @default nobody */
  readonly onEvent?: (event: WorkerEvent) => void;
  /** Records a span for each run of a handler, in the trace of who enqueued the job. @default the tracer of the jobs */
  readonly tracer?: MessageTracer;
  /** @default the clock of the jobs */
  readonly clock?: Clock;
  /** @default systemRandom */
  readonly random?: Random;
}

export const WORKER_DEFAULTS = {
  name: 'worker',
  concurrency: 10,
  maxDeliveries: 5,
  delayMs: 1_000,
  maxDelayMs: 600_000,
  jitter: 'full',
  timeoutMs: 600_000,
  resultLifetimeMs: 86_400_000,
  leaseMs: 30_000,
  pollMs: 1_000,
  graceMs: 20_000,
  windowMs: 60_000,
  progressMs: 1_000,
  random: systemRandom,
} as const;

export type ResolvedWorkerOptions = WorkerOptions &
  Required<Omit<WorkerOptions, 'onEvent' | 'rateLimit' | 'tracer'>>;

/** Fills in defaults and rejects nonsense now, while the stack still points at its author. */
export function resolveWorkerOptions(given: WorkerOptions, clock: Clock): ResolvedWorkerOptions {
  const options = { ...WORKER_DEFAULTS, clock, ...given };
  checkRules('worker', options);
  checkInteger('worker.leaseMs', options.leaseMs, 100, LONGEST_HOLD_MS);
  checkInteger('worker.pollMs', options.pollMs, 10, LONGEST_HOLD_MS);
  checkInteger('worker.graceMs', options.graceMs, 0, LONGEST_HOLD_MS);
  if (options.progressMs !== Infinity) {
    checkInteger('worker.progressMs', options.progressMs, 100, LONGEST_HOLD_MS);
  }
  checkFunction('worker.onEvent', options.onEvent);
  checkInteger('worker.windowMs', options.windowMs, 1_000, 3_600_000);
  return options;
}

type CheckedRules = JobRules & Pick<ResolvedWorkerOptions, 'timeoutMs' | 'resultLifetimeMs'>;

const LONGEST_LIFETIME_MS = 10 * 366 * 86_400_000;

/** Checks what a worker and a topic may both say; `where` names them in the error. */
export function checkRules(where: string, rules: CheckedRules): void {
  const { concurrency, maxDeliveries, delayMs = 0, maxDelayMs, timeoutMs } = rules;
  if (concurrency !== undefined) checkInteger(`${where}.concurrency`, concurrency, 1, 10_000);
  checkInteger(`${where}.maxDeliveries`, maxDeliveries, 1, 1_000);
  checkInteger(`${where}.delayMs`, delayMs, 0, LONGEST_WAIT_MS);
  checkInteger(`${where}.maxDelayMs`, maxDelayMs, delayMs, LONGEST_WAIT_MS);
  const { resultLifetimeMs } = rules;
  checkInteger(`${where}.resultLifetimeMs`, resultLifetimeMs, 1, LONGEST_LIFETIME_MS);
  if (timeoutMs !== Infinity) checkNumber(`${where}.timeoutMs`, timeoutMs, 1, LONGEST_TIMER_MS);
}
