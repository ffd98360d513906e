import type { Clock, Timer } from '@holdfast/core';
import type { DeadRetention, MessageStore } from '../store.ts';

/** Forgotten in one transaction: others must not wait long for it. */
const LOT = 500;

export interface DeadSweep {
  /** Resolves when none runs any more. */
  stop(): Promise<void>;
}

export interface DeadSweepOptions {
  readonly clock: Clock;
  readonly keep: DeadRetention;
  readonly everyMs: number;
}

/**
 * Forgets dead letters that are older or more than `keep` allows, at once and every so often. Several
 * processes may do so on one store. A store that cannot be used is tried again the next time.
 */
export function startDeadSweep(store: MessageStore, options: DeadSweepOptions): DeadSweep {
  const { clock, keep, everyMs } = options;
  let stopped = false;
  let timer: Timer | undefined;

  const sweep = async () => {
    while (!stopped && (await store.purgeDead(keep, LOT)) === LOT) await clock.sleep(1);
  };
  const arm = () => {
    if (!stopped) timer = clock.timer(everyMs, run);
  };
  let running: Promise<void> = Promise.resolve();
  const run = () => {
    // Whoever accepts or relays is told what is wrong with the store; letters kept too long do no harm.
    running = sweep()
      .catch(() => {})
      .then(arm);
  };
  run();
  return {
    async stop() {
      stopped = true;
      timer?.cancel();
      await running;
    },
  };
}
