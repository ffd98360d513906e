import type { Clock } from '@holdfast/core';

/** What a sidecar does when it is told to end, in this order. */
export interface EndingSteps {
  /** How long calls in flight may still take. */
  readonly graceMs: number;
  readonly clock: Clock;
  /** It is ready for nobody from here on. */
  begin(): void;
  /** Nobody finds it any more, and it takes nothing new; not called with `force`. */
  leave(): Promise<void>;
  /** Resolves when what it took is done; not called with `force`. */
  drain(): Promise<unknown>;
  close(): Promise<void>;
}

export interface Ending {
  /** Ends it once, however often it is called; with `force` nothing is waited for, also when it is ending already. */
  stop(options?: { readonly force?: boolean }): Promise<void>;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

export function createEnding(steps: EndingSteps): Ending {
  const ended = Promise.withResolvers<void>();
  const hurry = Promise.withResolvers<void>();
  let ending: Promise<void> | undefined;

  const drained = async () => {
    await steps.leave();
    await steps.drain();
  };
  const leaveInPeace = async () => {
    const waited = new AbortController();
    const limit = steps.clock.sleep(steps.graceMs, waited.signal).catch(() => {});
    // What fails on the way out must not keep the rest open: it is closed all the same.
    await Promise.race([drained(), limit, hurry.promise]).catch(() => {});
    waited.abort();
  };
  const end = async (force: boolean) => {
    steps.begin();
    if (!force) await leaveInPeace();
    await steps.close();
    ended.resolve();
  };
  return {
    stop({ force = false } = {}) {
      // Also when it is ending already: who asks again does not want to wait.
      if (force) hurry.resolve();
      ending ??= end(force);
      return ending;
    },
    ended: ended.promise,
  };
}
