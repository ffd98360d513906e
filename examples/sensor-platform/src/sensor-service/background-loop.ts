import { type Clock, systemClock } from '@holdfast/core';

/** Work that is done again and again behind the answers. */
export interface BackgroundLoop {
  /** There is something to do: does not wait for the next look. */
  wake(): void;
  /** Resolves when the round in progress is finished. */
  stop(): Promise<void>;
}

export interface BackgroundLoopOptions {
  /** How long to wait when there was nothing to do, or when a round failed. @default 500 ms */
  readonly idleMs?: number;
  /** Hears why a round failed; the loop goes on. */
  readonly onFailure: (error: unknown) => void;
  readonly clock?: Clock;
}

/** Runs `round` until stopped: at once again while it says that it did something. */
export function backgroundLoop(
  round: (signal: AbortSignal) => Promise<boolean>,
  { idleMs = 500, onFailure, clock = systemClock }: BackgroundLoopOptions,
): BackgroundLoop {
  const stopping = new AbortController();
  let nap = new AbortController();
  let woken = false;

  const rest = async () => {
    nap = new AbortController();
    const until = AbortSignal.any([nap.signal, stopping.signal]);
    if (!woken) await clock.sleep(idleMs, until).catch(() => {}); // woken, or stopping
  };
  const run = async () => {
    while (!stopping.signal.aborted) {
      woken = false;
      try {
        if (await round(stopping.signal)) continue;
      } catch (error) {
        if (stopping.signal.aborted) return;
        onFailure(error);
        woken = false; // what failed a moment ago is not tried again without a pause
      }
      await rest();
    }
  };
  const ended = run();

  return {
    wake() {
      woken = true;
      nap.abort();
    },
    stop() {
      stopping.abort();
      return ended;
    },
  };
}
