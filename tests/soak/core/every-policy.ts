import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import {
  adaptiveLimit,
  bulkhead,
  cache,
  circuitBreaker,
  createRegistry,
  deadline,
  type ExecuteOptions,
  fallback,
  fault,
  hedge,
  pipeline,
  rateLimit,
  retry,
  retryBudget,
  shed,
  throttle,
  timeout,
} from '@holdfast/core';
import { settledHeap } from './settled-heap.ts';

const LANES = 64;

export interface CallsReport {
  /** Live bytes after each tenth of the calls; the first is what it takes to be warm. */
  readonly heaps: readonly number[];
  /** How often each kind of event came, refusals by their code. */
  readonly events: Readonly<Record<string, number>>;
  readonly callsPerSecond: number;
  /** Timers of the process that are still set when all is over. */
  readonly timersLeft: number;
  /** Calls, permits and waiters that the pipeline still counts. */
  readonly left: number;
}

/**
 * Sends `calls` through one pipeline of all thirteen policies, 64 at a time in
 * real time: good and failing ones, slow ones and ones that hang, with and
 * without keys, some given up by their caller.
 */
export async function soakEveryPolicy(calls: number): Promise<CallsReport> {
  const events: Record<string, number> = {};
  const p = everyPolicy((name) => {
    events[name] = (events[name] ?? 0) + 1;
  });
  const heaps: number[] = [];
  const begunMs = performance.now();
  for (let tenth = 0; tenth < 10; tenth += 1) {
    await inLanes(tenth * (calls / 10), (tenth + 1) * (calls / 10), (n) => callNumber(p, n));
    heaps.push(await settledHeap());
  }
  const callsPerSecond = calls / ((performance.now() - begunMs) / 1_000);
  // The last hedges and renewals end, and the tick that all time-outs share is put away.
  await wait(200);
  const timersLeft = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const { inFlight, policies } = p.inspect();
  const left = policies.reduce(
    (sum, { bulkhead: gate, limit, rate }) =>
      sum +
      ((gate?.active ?? 0) + (gate?.queued ?? 0)) +
      ((limit?.active ?? 0) + (limit?.queued ?? 0)) +
      (rate?.waiting ?? 0),
    inFlight,
  );
  return { heaps, events, callsPerSecond, timersLeft, left };
}

function everyPolicy(happened: (name: string) => void) {
  const budget = retryBudget({ minPerSecond: 1_000 });
  const policies = [
    fallback({ steps: [() => -1] }),
    cache({ ttlMs: 2, staleMs: 5, staleIfErrorMs: 20, maxEntries: 256 }),
    shed({ from: { sheddable: 1_000, 'sheddable-plus': 2_000, critical: 5_000 } }),
    throttle(),
    deadline({ limitMs: 500 }),
    rateLimit({ limit: 2_000, intervalMs: 100, maxWaitMs: 5, maxKeys: 500 }),
    hedge({ delayMs: 12, budget }),
    retry({ maxRetries: 2, delayMs: 1, budget }),
    circuitBreaker({
      failureRatio: { ratio: 0.5, minimumCalls: 200, windowMs: 1_000 },
      openMs: 1,
      halfOpenPermits: 20,
      successThreshold: 1,
      consecutiveFailures: 60,
    }),
    adaptiveLimit({ initialLimit: 60, maxLimit: 60, queueLimit: 20, queueTimeoutMs: 5 }),
    bulkhead({ limit: 50, queueLimit: 10, queueTimeoutMs: 5, order: 'criticality' }),
    timeout({ limitMs: 25 }),
    fault({ inject: 'error', ratio: 0.01, forMs: 24 * 3_600_000 }),
  ];
  return pipeline('soak', policies, {
    registry: createRegistry(),
    report: (event) => happened(event.type === 'refused' ? event.code : event.type),
  });
}

const CRITICALITIES = ['critical-plus', 'critical', 'sheddable-plus', 'sheddable'] as const;

async function callNumber(p: ReturnType<typeof everyPolicy>, n: number): Promise<void> {
  const caller = n % 50 === 0 ? new AbortController() : undefined;
  const options: ExecuteOptions<number> = {
    criticality: CRITICALITIES[n % 4]!,
    ...(caller && { signal: caller.signal }),
    ...(n % 3 === 0 && { key: `tenant ${n % 2_000}` }),
    ...(n % 20 === 0 && { cacheKey: `answer ${n % 1_000}` }),
    ...(n % 7 === 0 && { idempotent: false }),
  };
  const call = p.execute(({ signal }) => work(n, () => signal), options);
  if (n % 100 === 0) caller?.abort();
  try {
    await call;
  } catch {
    // Refused, given up, or failed for good: as it should be for some.
  }
}

/** Mostly an answer at once; the signal is made only where it is needed, as in real code. */
async function work(n: number, signal: () => AbortSignal): Promise<number> {
  if (n % 10 === 1) throw new Error('down');
  if (n % 20_000 < 120) throw new Error('an outage');
  if (n % 500 === 2) await wait(15, undefined, { signal: signal() });
  if (n % 2_000 === 3) await new Promise((_, reject) => onAbort(signal(), reject));
  return n;
}

function onAbort(signal: AbortSignal, reject: (reason: unknown) => void): void {
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
}

/** Calls `each` for all numbers, `LANES` of them at a time, and lets timers have their turns. */
async function inLanes(from: number, to: number, each: (n: number) => Promise<void>) {
  let next = from;
  const lane = async () => {
    while (next < to) {
      const n = next;
      next += 1;
      await each(n);
      if (n % 256 === 0) await turn();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
