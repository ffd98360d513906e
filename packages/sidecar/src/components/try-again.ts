import type { Clock, Timer } from '@holdfast/core';

export interface TryAgainOptions {
  /** Whether a component is missing that the resources have. */
  readonly incomplete: () => boolean;
  /** Puts the resources in force once more. Never rejects. */
  readonly reload: () => Promise<void>;
  readonly clock: Clock;
}

/** How often daprd compares what is up with what its files say. */
const EVERY_MS = 60_000;

/**
 * Has components tried again that could not be opened, each minute as in daprd: with `ignoreErrors`
 * a sidecar starts without its database, and has it within a minute of the database's coming back.
 */
export function tryAgain({ clock, incomplete, reload }: TryAgainOptions): { close(): void } {
  let timer: Timer | undefined;
  let closed = false;
  const wait = (): void => {
    if (closed) return;
    timer = clock.timer(EVERY_MS, () => {
      if (incomplete()) void reload().then(wait);
      else wait();
    });
  };
  wait();
  return {
    close() {
      closed = true;
      timer?.cancel();
    },
  };
}
