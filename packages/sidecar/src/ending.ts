import type { Clock } from '@holdfast/core';

/** What a sidecar does when it is told to end, in this order. */
export interface EndingSteps {
  /** How long calls in flight may still take. */
  readonly graceMs: number;
  readonly clock: Clock;
  /**
   * Goes on serving those who are there, until it may end or `signal` says that
   * it must; called first, and only where `stop` is asked to linger.
   */
  linger(signal: AbortSignal): Promise<void>;
  /** It is ready for nobody from here on. */
  begin(): void;
  /** Nobody finds it any more, and it takes nothing new; not called with `force`. */
  leave(): Promise<void>;
  /** Resolves when what it took is done; not called with `force`. */
  drain(): Promise<unknown>;
  /** The grace is over, and what it took is not all done. */
  late(): void;
  close(): Promise<void>;
}

export interface StopOptions {
  /** Waits for nothing. @default false */
  readonly force?: boolean;
  /** First goes on serving for `blockShutdownMs`, or until the application is unhealthy. @default false */
  readonly linger?: boolean;
}

export interface Ending {
  /** Ends it once, however often it is called; who calls again without `linger` ends the lingering, with `force` every wait. */
  stop(options?: StopOptions): Promise<void>;
  /** Resolves when it has ended. */
  readonly ended: Promise<Ended>;
}

/** How it ended: `late` and `forced` have cut off what was under way. */
export type Ended = 'done' | 'late' | 'forced';

export function createEnding(steps: EndingSteps): Ending {
  const ended = Promise.withResolvers<Ended>();
  const hurry = Promise.withResolvers<void>();
  const lingering = new AbortController();
  let ending: Promise<void> | undefined;

  const drained = async () => {
    await steps.leave();
    await steps.drain();
  };
  const leaveInPeace = async (): Promise<Ended> => {
    const waited = new AbortController();
    const limit = steps.clock.sleep(steps.graceMs, waited.signal).catch(() => {});
    const how = await Promise.race([
      // What fails on the way out must not keep the rest open: it is closed all the same.
      drained().then(
        () => 'done' as const,
        () => 'done' as const,
      ),
      limit.then(() => 'late' as const),
      hurry.promise.then(() => 'forced' as const),
    ]);
    waited.abort();
    return how;
  };
  let forced = false;
  const end = async (linger: boolean) => {
    // What fails while it lingers must not keep it from ending.
    if (linger) await steps.linger(lingering.signal).catch(() => {});
    steps.begin();
    const how = forced ? 'forced' : await leaveInPeace();
    if (how === 'late') steps.late();
    await steps.close();
    ended.resolve(how);
  };
  return {
    stop({ force = false, linger = false } = {}) {
      // Also when it is ending already: who asks again does not want to wait.
      if (force) hurry.resolve();
      forced ||= force;
      if (!linger || force) lingering.abort();
      ending ??= end(linger && !force);
      return ending;
    },
    ended: ended.promise,
  };
}
