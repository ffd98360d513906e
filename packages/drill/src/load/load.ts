import type { Clock } from '@holdfast/core';
import { type Latency, latencyOf } from './latency.ts';
import { type Desk, type Submission, type Submitted, submit } from './submission.ts';

/** What a load did, in numbers. */
export interface LoadSummary {
  readonly sent: number;
  readonly accepted: number;
  readonly refused: number;
  readonly unknown: number;
  /** Not sent, because `maxInFlight` requests were under way. */
  readonly skipped: number;
  /** How often each status came; `none` where there was no answer. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly latency: Latency;
  readonly tookMs: number;
}

export interface BurstOptions {
  readonly submission: Submission;
  /** How many requests, all at once. (1 … 100_000) */
  readonly count: number;
}

export interface TrafficOptions {
  readonly submission: Submission;
  /** Requests that begin each second, evenly spread, whether or not earlier ones were answered. (> 0 … 10_000) */
  readonly perSecond: number;
  /** More are never under way; what would exceed it is skipped and counted. @default 256 */
  readonly maxInFlight?: number;
}

export interface Traffic {
  /** How many were accepted so far. */
  accepted(): number;

  /** Sends nothing more, waits for what is under way. Stopping again gives the same summary. */
  stop(): Promise<LoadSummary>;
}

/** Sends `count` requests at once and waits for all of them. */
export async function burst(desk: Desk, clock: Clock, options: BurstOptions): Promise<LoadSummary> {
  const { count, submission } = options;
  if (!Number.isInteger(count) || count < 1 || count > 100_000) {
    throw new RangeError(`burst.count must be a whole number from 1 to 100000, not ${count}.`);
  }
  const startedMs = clock.now();
  const done = await Promise.all(Array.from({ length: count }, () => submit(desk, submission)));
  return summarise(done, 0, clock.now() - startedMs);
}

/** Begins a steady load in the background. */
export function startTraffic(desk: Desk, clock: Clock, options: TrafficOptions): Traffic {
  const { perSecond, submission, maxInFlight = 256 } = options;
  if (!(perSecond > 0 && perSecond <= 10_000)) {
    throw new RangeError(`traffic.perSecond must be from above 0 to 10000, not ${perSecond}.`);
  }
  const startedMs = clock.now();
  const stopping = new AbortController();
  const signal = AbortSignal.any([stopping.signal, desk.signal]);
  const done: Submitted[] = [];
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let skipped = 0;

  const sendOne = (): void => {
    if (underWay.size >= maxInFlight) {
      skipped += 1;
      return;
    }
    const one: Promise<void> = submit(desk, submission)
      .then((submitted) => void done.push(submitted))
      .catch((error: unknown) => {
        failure ??= { error };
        stopping.abort();
      })
      .finally(() => underWay.delete(one));
    underWay.add(one);
  };

  const sending = (async () => {
    for (let n = 1; !signal.aborted; n += 1) {
      sendOne();
      // The schedule is fixed at the start, so slow answers do not slow the load down.
      const dueMs = startedMs + (n * 1_000) / perSecond;
      await clock.sleep(Math.max(0, dueMs - clock.now()), signal).catch(() => {
        // Stopped while waiting for the next turn.
      });
    }
  })();

  const finish = async (): Promise<LoadSummary> => {
    stopping.abort();
    await sending;
    await Promise.all(underWay);
    if (failure !== undefined) throw failure.error;
    return summarise(done, skipped, clock.now() - startedMs);
  };
  let finished: Promise<LoadSummary> | undefined;
  return {
    accepted: () => done.filter(({ outcome }) => outcome.kind === 'accepted').length,
    stop: () => (finished ??= finish()),
  };
}

function summarise(done: readonly Submitted[], skipped: number, tookMs: number): LoadSummary {
  const statuses: Record<string, number> = {};
  for (const { answer } of done) {
    const status = answer.status === 0 ? 'none' : String(answer.status);
    statuses[status] = (statuses[status] ?? 0) + 1;
  }
  const count = (kind: string) => done.filter(({ outcome }) => outcome.kind === kind).length;
  return {
    sent: done.length,
    accepted: count('accepted'),
    refused: count('refused'),
    unknown: count('unknown'),
    skipped,
    statuses,
    latency: latencyOf(done.map(({ answer }) => answer.tookMs)),
    tookMs,
  };
}
