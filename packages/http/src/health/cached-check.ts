import type { Clock } from '@holdfast/core';

/**
 * Looks at one thing the service needs. Returning is passing, throwing is
 * failing; what it returns is shown as `details`. It should stop at `signal`.
 */
export type HealthCheck = (signal: AbortSignal) => PromiseLike<unknown> | unknown;

/** What a check said, and when. */
export interface CheckResult {
  readonly status: 'pass' | 'fail';
  /** How long it took, in milliseconds. */
  readonly latency_ms: number;
  /** How long ago that was, in milliseconds. */
  readonly age_ms: number;
  readonly error?: string;
  readonly details?: unknown;
}

export interface CheckTimes {
  /** A check that takes longer fails. */
  readonly timeoutMs: number;
  /** For so long its result answers further questions. */
  readonly cacheMs: number;
}

/**
 * Asks a check at most once per `cacheMs`, once at a time whoever asks: a storm
 * of health requests is one query to the database. A check that hangs is not
 * started again while it hangs; until it ends, it has failed.
 */
export function cachedCheck(
  check: HealthCheck,
  { timeoutMs, cacheMs }: CheckTimes,
  clock: Clock,
): () => Promise<CheckResult> {
  let latest: { readonly atMs: number; readonly result: Omit<CheckResult, 'age_ms'> } | undefined;
  let asking: Promise<void> | undefined;
  let hanging = false;

  async function ask(): Promise<void> {
    const startedMs = clock.now();
    const abort = new AbortController();
    const work = settle(check, abort.signal);
    hanging = true;
    void work.then(() => {
      hanging = false;
    });
    const outcome = await Promise.race([work, limit(clock, timeoutMs, work)]);
    if (outcome === TIMED_OUT)
      abort.abort(new Error(`The check took longer than ${timeoutMs} ms.`));
    const nowMs = clock.now();
    const latency_ms = Math.round(nowMs - startedMs);
    latest = { atMs: nowMs, result: describe(outcome, latency_ms, timeoutMs) };
  }

  return async () => {
    const fresh = latest !== undefined && clock.now() - latest.atMs < cacheMs;
    if (!fresh && !(hanging && asking === undefined)) {
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      await asking;
    }
    const { atMs, result } = latest!;
    return { ...result, age_ms: Math.round(clock.now() - atMs) };
  };
}

const TIMED_OUT = Symbol('timed out');

type Outcome = { readonly value: unknown } | { readonly error: unknown } | typeof TIMED_OUT;

async function settle(check: HealthCheck, signal: AbortSignal): Promise<Outcome> {
  try {
    return { value: await check(signal) };
  } catch (error) {
    return { error };
  }
}

/** Ends with `TIMED_OUT`, or never where `work` ends first; its timer ends with either. */
function limit(clock: Clock, timeoutMs: number, work: Promise<Outcome>): Promise<Outcome> {
  return new Promise((resolve) => {
    const timer = clock.timer(timeoutMs, () => resolve(TIMED_OUT));
    void work.then(() => timer.cancel());
  });
}

function describe(
  outcome: Outcome,
  latency_ms: number,
  timeoutMs: number,
): Omit<CheckResult, 'age_ms'> {
  if (outcome === TIMED_OUT) {
    return { status: 'fail', latency_ms, error: `no answer within ${timeoutMs} ms` };
  }
  if ('error' in outcome) {
    return { status: 'fail', latency_ms, error: messageOf(outcome.error) };
  }
  const details = showable(outcome.value);
  return { status: 'pass', latency_ms, ...(details === undefined ? {} : { details }) };
}

/** What JSON cannot say (a BigInt, a circle) is told of in its place: the check has passed all the same. */
function showable(details: unknown): unknown {
  try {
    JSON.stringify(details);
    return details;
  } catch (error) {
    return `cannot be shown: ${messageOf(error)}`;
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
