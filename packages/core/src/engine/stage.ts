import type { Clock } from '../clock.ts';
import type { Forecast, WorstCase } from '../explain/explain.ts';
import type { Remark } from '../explain/remarks.ts';
import type { FaultSwitch } from '../fault/fault-switch.ts';
import type { PolicySnapshot } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import type { Random } from '../random.ts';
import type { Operation } from './operation.ts';
import type { Reporter } from './report/reporter.ts';
import type { Alarms } from './timers/alarm.ts';

/** "Stop here": the stage keeps the operation, and sends it on later. */
export const HELD = /* @__PURE__ */ Symbol('held');

/** "Turn round here": the stage has put an outcome in place with `Operation.answer`. */
export const ANSWERED = /* @__PURE__ */ Symbol('answered');

/** "Run this first": the stage has named a function with `Operation.instead`. */
export const LAUNCHED = /* @__PURE__ */ Symbol('launched');

/**
 * What `enter` says: go on, stop, turn round with an answer, run something in
 * place of all that is inside, or turn round refused with this error.
 */
export type Entry = undefined | typeof HELD | typeof ANSWERED | typeof LAUNCHED | Error;

/** What `leave` says: pass the outcome on, stop, pass on the one put in its place, or run something first. */
export type Exit = undefined | typeof HELD | typeof ANSWERED | typeof LAUNCHED;

/**
 * Why a stage has to let go of an operation that did not come back up to it.
 * `overdue`: a time limit of the pipeline ran out while the function was running.
 * `cancelled`: the caller ended the call, or nothing had been sent.
 */
export type Cut = 'overdue' | 'cancelled';

/**
 * A policy at work in one pipeline: two synchronous hooks that an operation
 * passes on its way down to the caller's function and up again.
 *
 *     execute ──▶ enter 0 ──▶ enter 1 ──▶ function
 *                                            │
 *     caller  ◀── leave 0 ◀── leave 1 ◀──────┘
 *
 * Each entry is answered by exactly one `leave` or `abandon`, except that a
 * stage whose own `enter` did not let the operation pass hears nothing, and a
 * stage that holds in `leave`, or launches a function there, is still in it.
 *
 * V8 puts about 900 bytes of bytecode of others into a function that it compiles, and the rest is called.
 * So both hooks are short for a call that succeeds, and what else may happen is in methods of its own:
 * four policies took 409 ns before and take 372, and would take a fifth less without V8's limit.
 */
export interface Stage {
  readonly policy: Policy;
  /** Whether it may call a function of the caller's after what is inside it has ended. */
  readonly continues?: boolean;
  /** Whether it may end what is inside it from a timer. */
  readonly timed?: boolean;
  /** What one operation keeps for this stage; made once per pooled operation. */
  slot?(op: Operation, index: number): unknown;
  enter(op: Operation, index: number): Entry;
  leave(op: Operation, index: number, value: unknown, failed: boolean): Exit;
  abandon(op: Operation, index: number, cut: Cut, error: unknown): void;
  /** The alarm it armed for `op` rings. */
  ring?(op: Operation, index: number): void;
  /** Time it leaves to the stages inside it, in milliseconds. */
  remainingMs?(op: Operation, index: number): number;
  /** Takes over the state of the stage it replaces in a swap; of the same kind and name. */
  adopt?(old: Stage): void;
  /** What it makes of the duration and the attempts of everything inside it. */
  forecast(inner: WorstCase): Forecast;
  /** What in its numbers is seldom meant beside those of the policies inside it, outermost first. */
  remarks?(inside: readonly Policy[]): readonly Remark[];
  /** Its live state, for `inspect`. */
  inspect?(): Partial<PolicySnapshot>;
  /** Drops the answer it has for this key, or all of them; settled when a store it has knows as well. */
  invalidate?(cacheKey: string | undefined): Promise<void>;
  /** Forces its circuit, where it has one. */
  force?(as: ForcedState | 'closed', forMs: number): void;
}

/**
 * What an operator makes of a circuit for a while: it refuses every call; refuses none, and counts them;
 * is as if it were not there; or refuses none, and tells what it would have refused.
 */
export type ForcedState = 'forced-open' | 'forced-closed' | 'disabled' | 'observe';

/** What the pipeline gives a stage to live in. */
export interface StageWorld {
  /** The pipeline's name. */
  readonly pipeline: string;
  /** Of its family, where it is in one. */
  readonly key: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly alarms: Alarms;
  readonly reporter: Reporter;
  /** Whether faults may be put in. */
  readonly faults: FaultSwitch;
}
