import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';

export interface CatchUpOptions {
  /** In the line of the log. */
  readonly component: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of the subscription that wants to know. */
  readonly signal: AbortSignal;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Reads what has changed, again and again until it can be read: a change that was heard of and is then not
 * told is one that nobody hears of any more. Undefined when the subscription has ended before.
 */
export async function readAtLast<T>(
  read: () => Promise<T>,
  { clock, component, log, signal }: CatchUpOptions,
): Promise<T | undefined> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    if (signal.aborted) return undefined;
    try {
      return await read();
    } catch (error) {
      if (pauseMs === FIRST_PAUSE_MS && !signal.aborted) {
        const why = (error as Error).message;
        log.warn(`component ${component}: changes are told when they can be read: ${why}`);
      }
      // Rejects when the subscription ends meanwhile.
      await clock.sleep(pauseMs, signal).catch(() => {});
    }
  }
}

/**
 * Work that compares what is with what was: one run at a time, and one more where it was asked for meanwhile,
 * since what the first has read may be older.
 */
export function neverTwiceAtOnce(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let again = false;
  const run = async (): Promise<void> => {
    do {
      again = false;
      await work();
    } while (again);
  };
  return () => {
    if (running !== undefined) again = true;
    running ??= run().finally(() => {
      running = undefined;
    });
    return running;
  };
}
