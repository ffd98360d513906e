import { type Clock, checkInteger } from '@holdfast/core';
import { OutboxRefusedError } from '../errors.ts';
import type { NewMessage, Receipt } from '../message.ts';
import { tellListener } from '../tell-listener.ts';

/**
 * When a job repeats: every so often (at whole multiples of it since 1970, so that all processes mean
 * the same moments), or at the moment that `next` gives after another (croner's `nextRun` does).
 * Undefined or null: never again.
 */
export type When = (
  | { readonly everyMs: number; readonly next?: undefined }
  | { readonly next: (after: Date) => Date | undefined | null; readonly everyMs?: undefined }
) & {
  /** Hears what keeps it from enqueueing; it tries again. @default nobody */
  readonly onProblem?: (error: unknown) => void;
};

/** The job of each tick; a function is told the tick. Id and due time are the schedule's; a tick replaces no other. */
export type ScheduledMessage = RepeatedMessage | ((tick: Date) => RepeatedMessage);
export type RepeatedMessage = Omit<NewMessage, 'id' | 'dueAt' | 'delayMs' | 'replaces'>;

export interface Schedule {
  readonly name: string;
  /** The tick that waits in the store, or is about to; undefined when there is none any more. */
  readonly nextAt: Date | undefined;
  /** The id of the job of a tick: `name@2026-01-31T03:00:00.000Z`. */
  idOf(tick: Date): string;
  /** Enqueues no more. The tick that waits stays: `jobs.cancel(schedule.idOf(schedule.nextAt))` takes it back. */
  stop(): Promise<void>;
  readonly ended: Promise<void>;
}

export interface ScheduleEnv {
  readonly name: string;
  readonly when: When;
  readonly message: ScheduledMessage;
  readonly accept: (messages: readonly NewMessage[]) => Promise<readonly Receipt[]>;
  readonly clock: Clock;
}

/** The wall clock may be set, and a machine may sleep: it is looked at no less often than this. */
const LOOK_MS = 30_000;
const RETRY_MS = 1_000;
/** A due time may not be further ahead; until then the schedule waits itself. */
const LONGEST_AHEAD_MS = 366 * 86_400_000;

/**
 * Keeps one tick ahead in the store, due at its moment: it is there when that moment comes, even if no
 * process is. Time that all of them slept through is one run, not one for each tick: the next tick is
 * the first after now.
 */
export function startSchedule(env: ScheduleEnv): Schedule {
  const { name, when, clock } = env;
  checkSchedule(name, when);
  if (typeof env.message !== 'function') refuseReplacing(env.message);
  const ending = new AbortController();
  const idOf = (tick: Date) => `${name}@${tick.toISOString()}`;
  // Here, so that a `next` that is wrong throws at its author.
  let tick = tickAfter(when, new Date(clock.wallMs()));

  const run = async () => {
    while (tick !== undefined) {
      const aheadMs = tick.getTime() - clock.wallMs();
      if (aheadMs <= LONGEST_AHEAD_MS) await enqueue(tick);
      await until(tick);
      tick = tickAfter(when, new Date(Math.max(clock.wallMs(), tick.getTime())));
    }
  };
  const enqueue = async (at: Date) => {
    const given = typeof env.message === 'function' ? env.message(at) : env.message;
    refuseReplacing(given);
    while (clock.wallMs() <= at.getTime()) {
      try {
        await env.accept([{ ...given, id: idOf(at), dueAt: at }]);
        return;
      } catch (error) {
        if (!(error instanceof OutboxRefusedError)) throw error;
        tellListener(when.onProblem, error);
        await clock.sleep(Math.max(RETRY_MS, error.retryAfterMs ?? 0), ending.signal);
      }
    }
  };
  const until = async (at: Date) => {
    for (;;) {
      const leftMs = at.getTime() - clock.wallMs();
      if (leftMs <= 0) return;
      await clock.sleep(Math.min(leftMs, LOOK_MS), ending.signal);
    }
  };
  const ended = run().catch((error: unknown) => {
    if (ending.signal.aborted) return;
    tick = undefined;
    tellListener(when.onProblem, error);
  });
  return {
    name,
    get nextAt() {
      return tick;
    },
    idOf,
    async stop() {
      ending.abort();
      await ended;
    },
    ended,
  };
}

function checkSchedule(name: string, { everyMs, next }: When): void {
  if (typeof name !== 'string' || name === '' || name.length > 200) {
    throw new TypeError('schedule.name must be text of 1 to 200 characters: ids are made of it.');
  }
  if ((everyMs === undefined) === (next === undefined)) {
    throw new TypeError('A schedule says either `everyMs` or `next`, and not both.');
  }
  if (everyMs !== undefined) checkInteger('schedule.everyMs', everyMs, 1_000, 366 * 86_400_000);
}

/** The next tick is in the store when one becomes due: none would ever be done. */
function refuseReplacing(message: RepeatedMessage): void {
  if (!('replaces' in message) || message.replaces === undefined) return;
  throw new TypeError(
    'A tick of a schedule cannot replace others: the next one would take its place before it is done. Give it a `key`, so that runs do not overlap, or a `lifetimeMs`, so that late ones are dropped.',
  );
}

function tickAfter({ everyMs, next }: When, after: Date): Date | undefined {
  if (everyMs !== undefined) {
    return new Date((Math.floor(after.getTime() / everyMs) + 1) * everyMs);
  }
  const tick = next?.(after) ?? undefined;
  if (tick === undefined) return undefined;
  if (tick instanceof Date && tick.getTime() > after.getTime()) return tick;
  throw new RangeError(
    `schedule.next must give a Date after ${after.toISOString()}, or nothing, not ${String(tick)}.`,
  );
}
