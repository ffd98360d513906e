import type { Outcome } from '../events.ts';
import type { CallFunction, ExecuteOptions } from '../policy.ts';
import { Alarm } from './alarm.ts';
import { type AsyncContext, captureContext, runIn } from './async-context.ts';
import { outOfTime, refusalBy } from './caller-limits.ts';
import { Flight } from './flight.ts';
import { discard, lateListener } from './late-result.ts';
import { LiveCall } from './live-call.ts';
import { OUTCOME_OF_CUT, outcomeOf } from './outcome.ts';
import type { Program } from './program.ts';
import { reportEnd } from './report-end.ts';
import { ANSWERED, type Cut, HELD, LAUNCHED } from './stage.ts';
import { trusted } from './trusted.ts';

/** Stands for the caller where a stage's index is asked for: outside of them all. */
const CALLER = -1;

type AnyFunction = CallFunction<unknown>;

/**
 * One call on its way down through the stages to the caller's function and up
 * again. Pooled, so the caller never sees it; what the caller can hold is new.
 *
 * All happens in turns: a start, a landing, an alarm, a resume, an abort. Within
 * one, the caller's code (its function, predicates, listeners) may abort the
 * call; the turn looks at the signal where it stops, and is not cut in the middle.
 */
export class Operation {
  readonly program: Program;
  /** What each stage keeps for this operation, by the stage's index. */
  readonly slots: unknown[] = [];
  /** Joins the events of one call; 0 when nobody listened at its start. */
  id = 0;
  /** Runs of the caller's function so far. */
  attempts = 0;
  /** The attempt under way. */
  call: LiveCall | undefined = undefined;
  /** Whether a fallback has answered. */
  degraded = false;

  /** The stage at which it ends: the caller's, or the one that forked it. */
  #floor = CALLER;
  #parent: Operation | undefined = undefined;
  #fn: AnyFunction = unset;
  /** What the caller said about this call. */
  #options: ExecuteOptions<never> | undefined = undefined;
  /** The caller's, once it is listened to. */
  #signal: AbortSignal | undefined = undefined;
  #deadline: Alarm | undefined = undefined;
  #context: AsyncContext | undefined = undefined;
  #flight: Flight;
  #flying = false;
  /** The innermost stage that it is in. */
  #depth = CALLER;
  #inTurn = false;
  #starting = false;
  #instead: AnyFunction = unset;
  #answer: unknown = undefined;
  #answerFailed = false;
  /** Clock time of its start and of the attempt under way, when somebody listens; -1 when nobody does. */
  #startedMs = -1;
  #attemptMs = -1;
  #resolve: (value: unknown) => void = unset;
  #reject: (error: unknown) => void = unset;
  readonly #executor = (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
    this.#resolve = resolve;
    this.#reject = reject;
  };
  readonly #onAbort = () => {
    if (!this.#inTurn) this.cut(CALLER, this.#signal?.reason, 'cancelled');
  };

  constructor(program: Program) {
    this.program = program;
    this.#flight = new Flight(this);
    program.stages.forEach((stage, index) => {
      this.slots.push(stage.slot?.(this, index));
    });
  }

  /** Begins a call. Resolves or rejects exactly once, whatever happens. */
  start<T>(fn: CallFunction<T>, options: ExecuteOptions<T> | undefined): Promise<T> {
    const promise = new Promise<unknown>(this.#executor) as Promise<T>;
    const { program } = this;
    this.#inTurn = true;
    this.#starting = true;
    this.#fn = fn;
    program.tally.inFlight += 1;
    if (program.reporter.listening) {
      lastId += 1;
      this.id = lastId;
      this.#startedMs = program.world.clock.now();
    }
    if (program.capturesContext) this.#context = captureContext();
    if (options === undefined || this.#accept(options)) this.#descend(0);
    this.#inTurn = false;
    this.#starting = false;
    return promise;
  }

  /**
   * A second operation for the same call, for a stage that wants more attempts
   * at once: it runs everything inside `index` and ends there, in `settle`.
   * `cut(index, …)` ends it early.
   */
  fork(index: number, settle: (value: unknown, failed: boolean) => void): Operation {
    const twin = this.program.take();
    twin.#inTurn = true;
    twin.#floor = index;
    twin.#parent = this;
    twin.#fn = this.#fn;
    twin.#options = this.#options;
    twin.#context = this.#context;
    twin.id = this.id;
    twin.attempts = this.attempts;
    twin.#resolve = (value) => settle(value, false);
    twin.#reject = (error) => settle(error, true);
    twin.#descend(index + 1);
    twin.#inTurn = false;
    return twin;
  }

  /** Keeps the caller's context for a continuation that will not come from its own promise. */
  keepContext(): void {
    this.#context ??= captureContext();
  }

  /** Goes on downwards, inside stage `index`, which held it; `tell` reports that, first and in the same turn. */
  resume(index: number, tell?: () => void): void {
    this.#turn(() => {
      tell?.();
      this.#descend(index + 1);
    });
  }

  /** Turns round at stage `index`, which held it in `enter` and now has an outcome for it. */
  settleHeld(index: number, value: unknown, failed: boolean): void {
    this.#turn(() => this.#ascend(index - 1, value, failed));
  }

  /** Has `leave` run `fn` on its stage's behalf; that stage is told the outcome in `leave` again. */
  instead(fn: AnyFunction): typeof LAUNCHED {
    this.#instead = fn;
    return LAUNCHED;
  }

  /** Puts an outcome in place of the present one. Answers for the hook that calls it. */
  answer(value: unknown, failed: boolean): typeof ANSWERED {
    this.#answer = value;
    this.#answerFailed = failed;
    return ANSWERED;
  }

  /** Whether an attempt that may have been executed may be repeated. */
  get idempotent(): boolean {
    return this.#options?.idempotent !== false;
  }

  /** Gives a result that nobody will see to who made it. */
  discard(value: unknown): void {
    discard(this.#options, value);
  }

  /** Time left to what runs inside stage `below`; `Infinity` where nothing limits it. */
  remainingMs(below = this.program.stages.length): number {
    const { stages, world } = this.program;
    let least = this.#parent?.remainingMs() ?? Infinity;
    if (this.#deadline) least = Math.min(least, world.alarms.remainingMs(this.#deadline));
    for (let i = 0; i < below; i += 1) {
      const ms = stages[i]?.remainingMs?.(this, i);
      if (ms !== undefined && ms < least) least = ms;
    }
    return least;
  }

  /** An alarm rings: a stage's, or the caller's deadline. */
  ring(index: number): void {
    this.#turn(() => {
      if (index === CALLER) this.#runOut();
      else this.program.stages[index]?.ring?.(this, index);
    });
  }

  /**
   * Ends everything inside stage `index` now and goes up from there with
   * `error`. The function, if it is running, is left behind: its signal aborts,
   * and what it may still return or throw reaches nobody.
   */
  cut(index: number, error: unknown, cut: Cut, outcome = OUTCOME_OF_CUT[cut]): void {
    const { stages } = this.program;
    const flying = this.#flying;
    this.#inTurn = true;
    for (let i = this.#depth; i > index; i -= 1) {
      stages[i]?.abandon(this, i, flying ? cut : 'cancelled', error);
    }
    if (flying) this.#leaveBehind(error, outcome);
    if (index <= this.#floor) this.#finish(error, true, outcome);
    else this.#ascend(index - 1, error, true);
    this.#inTurn = false;
  }

  /** The function launched at stage `level` has ended. */
  landed(level: number, value: unknown, failed: boolean): void {
    this.#inTurn = true;
    this.#flying = false;
    this.#land(level, value, failed);
    this.#inTurn = false;
  }

  /** A turn that others begin, in the caller's context all the same. */
  #turn(work: () => void): void {
    this.#inTurn = true;
    runIn(this.#context, work);
    this.#inTurn = false;
  }

  /** The caller's patience is no measure of the dependency: nothing is held against that. */
  #runOut(): void {
    const error = outOfTime(this.program.world.pipeline, this.#options?.deadlineMs ?? 0);
    this.cut(CALLER, error, 'cancelled', 'timeout');
  }

  /** Takes the caller's options; false when they end the call before it begins. */
  #accept(options: ExecuteOptions<never>): boolean {
    const { signal, deadlineMs } = options;
    const { pipeline, alarms } = this.program.world;
    this.#options = options;
    const refusal = refusalBy(options, pipeline);
    if (refusal !== undefined) {
      this.#finish(refusal.error, true, refusal.outcome);
      return false;
    }
    if (signal !== undefined) {
      this.#signal = signal;
      signal.addEventListener('abort', this.#onAbort);
    }
    if (deadlineMs !== undefined) {
      this.#deadline ??= new Alarm(this, CALLER);
      alarms.arm(this.#deadline, deadlineMs);
    }
    return true;
  }

  #descend(from: number): void {
    const { stages } = this.program;
    for (let i = from; i < stages.length; i += 1) {
      const entry = stages[i]!.enter(this, i);
      if (entry === undefined) continue;
      if (entry === HELD) this.#rest(i);
      else if (entry === ANSWERED) this.#ascend(i - 1, this.#answer, this.#answerFailed);
      else this.#ascend(i - 1, entry, true);
      return;
    }
    this.#launch(this.#fn, this.program.last, true);
  }

  #ascend(from: number, outcome: unknown, outcomeFailed: boolean): void {
    const { stages } = this.program;
    let value = outcome;
    let failed = outcomeFailed;
    for (let i = from; i > this.#floor; i -= 1) {
      let exit: ReturnType<(typeof stages)[number]['leave']>;
      try {
        exit = stages[i]!.leave(this, i, value, failed);
      } catch (thrown) {
        // A predicate of the caller's threw. It is the caller's error: it takes the outcome's place.
        value = thrown;
        failed = true;
        continue;
      }
      if (exit === undefined) continue;
      if (exit === HELD) {
        this.#rest(i);
        return;
      }
      if (exit === LAUNCHED) {
        this.#launch(this.#instead, i, false);
        return;
      }
      value = this.#answer;
      failed = this.#answerFailed;
    }
    this.#finish(value, failed);
  }

  /** Waits at stage `index`, unless the call was aborted on the way there. */
  #rest(index: number): void {
    this.#depth = index;
    this.#aborted();
  }

  /** Ends the call if the caller has aborted it within this turn. */
  #aborted(): boolean {
    if (this.#signal === undefined || !this.#signal.aborted) return false;
    this.cut(CALLER, this.#signal.reason, 'cancelled');
    return true;
  }

  #launch(fn: AnyFunction, level: number, isAttempt: boolean): void {
    this.#depth = level;
    if (this.#aborted()) return;
    if (isAttempt) {
      this.attempts += 1;
      if (this.#startedMs >= 0) this.#attemptMs = this.program.world.clock.now();
    }
    const call = new LiveCall(this, this.attempts);
    this.call = call;
    let returned: unknown;
    try {
      returned = fn(call);
    } catch (thrown) {
      this.#land(level, thrown, true);
      return;
    }
    if (returned === null || (typeof returned !== 'object' && typeof returned !== 'function')) {
      this.#land(level, returned, false);
      return;
    }
    this.#flying = true;
    this.#flight.level = level;
    trusted(returned).then(this.#flight.ok, this.#flight.err);
    // The function itself may have aborted the call.
    this.#aborted();
  }

  #land(level: number, value: unknown, failed: boolean): void {
    this.call = undefined;
    if (this.#attemptMs >= 0) this.#reportAttempt(failed ? outcomeOf(value) : 'success', value);
    this.#ascend(level, value, failed);
  }

  #leaveBehind(error: unknown, outcome: Outcome): void {
    this.#flying = false;
    this.#flight.leaveBehind(lateListener(this.program.world, this.id, this.#options));
    this.#flight = new Flight(this);
    if (this.#attemptMs >= 0) this.#reportAttempt(outcome, error);
    const attempt = this.call;
    this.call = undefined;
    attempt?.abort(error);
  }

  #reportAttempt(outcome: Outcome, error: unknown): void {
    const { attempts, id, program } = this;
    const end = { type: 'attempt' as const, attempt: attempts, outcome };
    reportEnd(program.world, id, this.#attemptMs, end, error);
    this.#attemptMs = -1;
  }

  /** Ends the call; `known` says how, where the error alone does not tell. */
  #finish(value: unknown, failed: boolean, known?: Outcome): void {
    const resolve = this.#resolve;
    const reject = this.#reject;
    if (this.#startedMs >= 0) {
      const { attempts, degraded, id, program } = this;
      const outcome = known ?? (failed ? outcomeOf(value) : 'success');
      const end = { type: 'call', attempts, degraded, outcome } as const;
      reportEnd(program.world, id, this.#startedMs, end, value);
    }
    if (this.#floor === CALLER) this.program.tally.inFlight -= 1;
    if (this.#signal !== undefined) this.#signal.removeEventListener('abort', this.#onAbort);
    if (this.#deadline !== undefined) this.program.world.alarms.disarm(this.#deadline);
    this.#reset();
    if (!failed) resolve(value);
    // Rejected before the caller has seen it, a promise is first taken for one that nobody
    // handles. That costs more than the refusal itself; one microtask later it is not so.
    else if (this.#starting) void SETTLED.then(() => reject(value));
    else reject(value);
    this.program.giveBack(this);
  }

  /** Lets go of what it was given. Only what was set is written: a look costs less. */
  #reset(): void {
    this.#fn = unset;
    this.#resolve = unset;
    this.#reject = unset;
    this.attempts = 0;
    if (this.#context !== undefined) this.#context = undefined;
    if (this.#options !== undefined) this.#options = undefined;
    if (this.#signal !== undefined) this.#signal = undefined;
    if (this.#answer !== undefined) this.#answer = undefined;
    if (this.#instead !== unset) this.#instead = unset;
    if (this.degraded) this.degraded = false;
    if (this.#parent !== undefined) {
      this.#parent = undefined;
      this.#floor = CALLER;
    }
    this.id = 0;
    this.#startedMs = -1;
  }
}

const SETTLED = /* @__PURE__ */ Promise.resolve();

/** Number of the last call that somebody heard of. */
let lastId = 0;

/** In place of what a pooled operation has not been given yet. */
function unset(): void {}
