import {
  type BackoffRules,
  checkInteger,
  type Pipeline,
  type Policy,
  pipeline,
  rateLimit,
  retry,
  timeout,
} from '@holdfast/core';
import { traced, tracedBatch } from '../trace/traced.ts';
import type { BatchHandler, JobHandler } from './job.ts';
import { checkRules, type JobRules, type ResolvedWorkerOptions } from './options.ts';

/** Handles the jobs of a topic one by one, by rules of its own. */
export interface SingleJobs extends JobRules {
  readonly handle: JobHandler;
  readonly batch?: undefined;
}

/** Handles up to `batch` jobs of a topic with one call. (1 … 1_000) */
export interface BatchedJobs extends JobRules {
  readonly batch: number;
  readonly handle: BatchHandler;
}

/** Who handles the jobs of which topic. */
export type JobHandlers = Readonly<Record<string, HandlerAlone | SingleJobs | BatchedJobs>>;

/** A function; that it has no `batch` lets the types of the others' handlers be inferred. */
type HandlerAlone = JobHandler & { readonly batch?: undefined };

/** The jobs of one topic, and what is done with them. */
export interface Kind {
  readonly topic: string;
  /** Undefined: they are handled one by one. */
  readonly batch: number | undefined;
  readonly handle: (jobs: Parameters<BatchHandler>[0]) => Promise<void> | void;
  readonly maxDeliveries: number;
  readonly backoff: BackoffRules;
  /** Its own; undefined where the worker's is all there is. */
  readonly concurrency: number | undefined;
  /** Begins handlers at its rate; undefined where it has none. */
  readonly rate: Policy | undefined;
  /** What is kept of its results is found for so long. */
  readonly resultLifetimeMs: number;
  /** Ends handlers that take too long. */
  readonly guard: Pipeline;
}

/** Checks and completes what a worker was given to do. */
export function kindsOf(handlers: JobHandlers, options: ResolvedWorkerOptions): readonly Kind[] {
  const kinds = Object.entries(handlers).map(([topic, given]) => kindOf(topic, given, options));
  if (kinds.length > 0) return kinds;
  throw new TypeError(
    'jobs.work needs a handler for at least one topic: `{ "resize-image": handler }`.',
  );
}

function kindOf(
  topic: string,
  given: JobHandlers[string],
  { concurrency: _, rateLimit: __, name, clock, random, tracer, ...worker }: ResolvedWorkerOptions,
): Kind {
  const own = typeof given === 'function' ? { handle: given } : given;
  const where = `worker["${topic}"]`;
  if (typeof own?.handle !== 'function') {
    throw new TypeError(
      `${where} must be a function, or have one as \`handle\`, not ${typeof given}.`,
    );
  }
  const rules = { ...worker, ...own };
  checkRules(where, rules);
  if (own.batch !== undefined) checkInteger(`${where}.batch`, own.batch, 1, 1_000);
  const { delayMs, maxDelayMs, jitter, timeoutMs, maxDeliveries, resultLifetimeMs } = rules;
  const limits = timeoutMs === Infinity ? [] : [timeout({ limitMs: timeoutMs })];
  return {
    topic,
    batch: own.batch,
    handle:
      own.batch === undefined
        ? oneByOne(traced(own.handle as JobHandler, tracer))
        : tracedBatch(own.handle as BatchHandler, tracer),
    maxDeliveries,
    resultLifetimeMs,
    backoff: retry({ delayMs, maxDelayMs, jitter }).options as BackoffRules,
    concurrency: own.concurrency,
    rate: own.rateLimit && rateLimit({ ...own.rateLimit, name: `${name} ${topic}` }),
    guard: pipeline(`${name} ${topic}`, limits, { clock, random }),
  };
}

const oneByOne =
  (handle: JobHandler): BatchHandler =>
  ([job]) =>
    handle(job!);
