import type { RetryBudget } from '../budget/retry-budget.ts';
import type { Outcome } from '../events.ts';
import type { CallFunction, Degraded, ExecuteOptions } from '../policy.ts';
import { type AsyncContext, captureContext, runIn } from './async-context.ts';
import { CALLER, Caller } from './caller/caller.ts';
import { LiveCall } from './caller/live-call.ts';
import type { Doom, Settle } from './doom.ts';
import { type AnyFunction, Flight } from './flight.ts';
import { endOf, OUTCOME_OF_CUT } from './outcome.ts';
import { passOn } from './pass-on.ts';
import type { Program } from './program.ts';
import { named, rejectLater, unset } from './reject-later.ts';
import { remainingInside } from './remaining.ts';
import { Chronicle } from './report/chronicle.ts';
import { ANSWERED, type Cut, type Entry, type Exit, HELD, LAUNCHED } from './stage.ts';
import { trusted } from './trusted.ts';

/**
 * One call on its way down through the stages to the caller's function and up again. Pooled: the caller never sees it.
 * All happens in turns: a start, a landing, an alarm, a resume, an abort. Within one, the caller's code
 * may abort the call; the turn looks at the signal where it stops, and is not cut in the middle.
 */
export class Operation {
  readonly program: Program;
  readonly caller: Caller;
  readonly #chronicle: Chronicle;
  /** What each stage keeps for this operation, by the stage's index. */
  readonly slots: unknown[];
  fn: AnyFunction = unset;
  /** Runs of `fn` so far. */
  attempts = 0;
  call: LiveCall | undefined = undefined;
  /** The budget that has counted this call. */
  countedFor: RetryBudget | undefined = undefined;
  /** What has answered in the dependency's place, if anything has. */
  degraded: Degraded | undefined = undefined;
  /** See `whenStopped`. */
  passOn: (() => void) | undefined = undefined;

  /** The stage at which it ends: the caller's, or the one that forked it. */
  #floor = CALLER;
  #parent: Operation | undefined = undefined;
  /** Of forked ones: what `degraded` was at the end. */
  #endedDegraded: Degraded | undefined = undefined;
  /** What `end` and `overtake` leave for later, within a turn of this operation's own. */
  #doom: Doom | undefined = undefined;
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
  #resolve: (value: unknown) => void = unset;
  #reject: (error: unknown) => void = unset;
  readonly #executor = (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
    this.#resolve = resolve;
    this.#reject = reject;
  };

  constructor(program: Program) {
    this.program = program;
    this.caller = new Caller(program.world, this);
    this.#chronicle = new Chronicle(program.world);
    this.#flight = new Flight(this);
    this.slots = program.stages.map((stage, index) => stage.slot?.(this, index));
  }

  /** Begins a call. Resolves or rejects exactly once, whatever happens. */
  start<T>(fn: CallFunction<T>, options: ExecuteOptions<T> | undefined): Promise<T> {
    const promise = new Promise<unknown>(this.#executor) as Promise<T>;
    this.#inTurn = true;
    this.#starting = true;
    this.fn = fn;
    this.program.tally.inFlight += 1;
    if (this.program.reporter.listening) this.#chronicle.callBegins();
    if (this.program.capturesContext) this.#context = captureContext();
    const refusal = options === undefined ? undefined : this.caller.accept(options);
    if (refusal === undefined) this.#descend(0);
    else this.#finish(refusal.error, true, refusal.outcome);
    this.#inTurn = false;
    this.#starting = false;
    return promise;
  }

  /**
   * A second operation for the same call: it runs all inside `index` and ends there, in `settle`, or early by
   * `end`. Undefined where it has ended already. `detached`, it has neither this call's limits nor its count.
   */
  fork(index: number, settle: Settle, detached = false): Operation | undefined {
    const twin = this.program.take();
    let ended = false;
    const tell = (value: unknown, failed: boolean) => {
      ended = true;
      settle(value, failed, twin.#endedDegraded);
    };
    twin.#inTurn = true;
    twin.#floor = index;
    twin.#parent = detached ? undefined : this;
    twin.fn = this.fn;
    twin.caller.options = this.caller.options;
    twin.#context = this.#context;
    twin.#chronicle.id = this.id;
    twin.attempts = detached ? 0 : this.attempts;
    twin.countedFor = this.countedFor;
    twin.#resolve = (value) => tell(value, false);
    twin.#reject = (error) => tell(error, true);
    twin.#descend(index + 1);
    twin.#inTurn = false;
    return ended ? undefined : twin;
  }

  /** From here on a forked operation goes on without the call that it was forked from. */
  detach(): void {
    this.#parent = undefined;
  }

  /** Ends a forked operation with `error`, now or, within a turn of its own or not `atOnce`, where that stops. */
  end(error: unknown, cut: Cut, atOnce = true): void {
    // The call may be over, and its operation another's, before this one stops.
    this.detach();
    if (atOnce) this.overtake(this.#floor, error, true, error, cut);
    else this.#doom = { index: this.#floor, value: error, failed: true, reason: error, cut };
  }

  /** Joins the events of one call; 0 when nobody listened at its start. */
  get id(): number {
    return this.#chronicle.id;
  }

  /** Keeps the caller's context for a continuation that will not come from its own promise. */
  keepContext(): void {
    this.#context ??= captureContext();
  }

  /** Goes on downwards, inside stage `index`, which held it; `tell` reports that, first and in the same turn. */
  resume(index: number, tell?: () => void): void {
    this.#turn(() => {
      tell?.();
      if (!this.#aborted()) this.#descend(index + 1);
    });
  }

  /** Turns round at stage `index`, which held it in `enter` and now has an outcome for it. */
  settleHeld(index: number, value: unknown, failed: boolean): void {
    this.#turn(() => this.#ascend(index - 1, value, failed));
  }

  /** Has its stage run `fn`, from `enter` as an attempt; that stage is told the outcome in `leave`. */
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

  /** Time left to what runs inside stage `below`; `Infinity` where nothing limits it. */
  remainingMs(below = this.program.stages.length): number {
    // What limits its parent inside the stage that forked it does not limit it.
    const outsideMs = this.#parent?.remainingMs(this.#floor) ?? Infinity;
    return Math.min(outsideMs, remainingInside(this, below));
  }

  /** An alarm rings: a stage's, or the caller's deadline. A stage may begin attempts that abort the call. */
  ring(index: number): void {
    this.turn(() => {
      // The caller's patience is no measure of the dependency: nothing is held against that.
      if (index === CALLER) this.cut(CALLER, this.caller.outOfTime(), 'cancelled', 'timeout');
      else this.program.stages[index]?.ring?.(this, index);
    });
  }

  /** Has a stage that holds it go on with it: where whoever hears of that aborts the call, it is seen afterwards. */
  turn(work: () => void): void {
    this.#turn(() => {
      work();
      this.#aborted();
    });
  }

  /**
   * Ends all inside stage `index` now and goes up from there with `error`. A running function is left
   * behind: its signal aborts, and what it may still return or throw reaches nobody.
   */
  cut(index: number, error: unknown, cut: Cut, outcome = OUTCOME_OF_CUT[cut]): void {
    this.#inTurn = true;
    this.#breakOff({ index, value: error, failed: true, reason: error, cut }, outcome);
    this.#inTurn = false;
  }

  /**
   * Ends all inside stage `index`, for `reason`, and goes up from there with an outcome from elsewhere. On its
   * way up just now, that happens where it stops.
   */
  overtake(index: number, value: unknown, failed: boolean, reason: unknown, cut: Cut): void {
    this.#doom = { index, value, failed, reason, cut };
    // Else it is on its way at this very moment, further down the stack, or hears an alarm.
    if (!this.#inTurn) this.#turn(() => this.#aborted());
  }

  /** Abandons what is inside stage `index`, for `reason`, and goes up from there with another outcome. */
  #breakOff({ index, value, failed, reason, cut }: Doom, outcome: Outcome): void {
    const flying = this.#flying;
    for (let i = this.#depth; i > index; i -= 1) {
      this.program.stages[i]?.abandon(this, i, flying ? cut : 'cancelled', reason);
    }
    if (flying) this.#leaveBehind(reason, outcome);
    if (index <= this.#floor) this.#finish(value, failed, outcome);
    else this.#ascend(index - 1, value, failed);
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
    if (this.passOn !== undefined) passOn(this);
  }

  /** Whether it is on its way further down the stack: of one that waits, while it hears an alarm (see `#turn`). */
  get isOnItsWay(): boolean {
    return this.#inTurn;
  }

  /** The caller has aborted: within a turn, that is seen where it stops; a function that runs, sees it now. */
  callerGone(): void {
    if (this.#inTurn) this.call?.abort(this.caller.reason);
    else this.cut(CALLER, this.caller.reason, 'cancelled');
  }

  #descend(from: number): void {
    const { stages } = this.program;
    // Whatever had answered further in, it is asked again.
    if (this.degraded !== undefined) this.degraded = undefined;
    for (let i = from; i < stages.length; i += 1) {
      let entry: Entry;
      try {
        entry = stages[i]!.enter(this, i);
      } catch (thrown) {
        entry = this.answer(thrown, true); // A limit or a probe of the caller's threw.
      }
      if (entry === undefined) continue;
      this.#stopAt(i, entry, true);
      return;
    }
    this.#launch(this.fn, this.program.last, true);
  }

  #stopAt(index: number, entry: Exclude<Entry, undefined>, isAttempt: boolean): void {
    this.#depth = index;
    if (entry === HELD) this.#aborted();
    else if (entry === LAUNCHED) this.#launch(this.#instead, index, isAttempt);
    else if (entry === ANSWERED) this.#ascend(index - 1, this.#answer, this.#answerFailed);
    else this.#ascend(index - 1, entry, true);
  }

  #ascend(from: number, outcome: unknown, outcomeFailed: boolean): void {
    const { stages } = this.program;
    let value = outcome;
    let failed = outcomeFailed;
    for (let i = from; i > this.#floor; i -= 1) {
      let exit: Exit;
      try {
        exit = stages[i]!.leave(this, i, value, failed);
      } catch (thrown) {
        if (!failed) this.caller.discard(value);
        exit = this.answer(thrown, true); // A predicate of the caller's threw.
      }
      if (exit === undefined) continue;
      if (exit !== ANSWERED) {
        if (this.passOn !== undefined) passOn(this);
        this.#stopAt(i, exit, false);
        return;
      }
      value = this.#answer;
      failed = this.#answerFailed;
    }
    this.#finish(value, failed);
  }

  /** Whether something has overtaken it within this turn, or the caller aborted it: it ends where it stops. */
  get isEnding(): boolean {
    return this.#doom !== undefined || this.caller.aborted;
  }

  /** Ends it where that is so. */
  #aborted(): boolean {
    if (!this.isEnding) return false;
    const doom = this.#doom;
    this.#doom = undefined;
    if (doom !== undefined) this.#breakOff(doom, OUTCOME_OF_CUT[doom.cut]);
    else this.cut(CALLER, this.caller.reason, 'cancelled');
    return true;
  }

  #launch(fn: AnyFunction, level: number, isAttempt: boolean): void {
    this.#depth = level;
    if (this.#aborted()) return;
    if (isAttempt) {
      this.#countAttempt();
      if (this.id !== 0) this.#chronicle.attemptBegins(this.attempts);
    }
    const call = new LiveCall(this, this.attempts);
    this.call = call;
    let returned: unknown;
    let promise: Promise<unknown> | undefined;
    try {
      returned = fn(call);
      promise = trusted(returned);
    } catch (thrown) {
      this.#land(level, thrown, true);
      return;
    }
    if (promise === undefined) {
      this.#land(level, returned, false);
      return;
    }
    this.#flying = true;
    this.#flight.level = level;
    promise.then(this.#flight.ok, this.#flight.err);
    this.#aborted(); // By the function itself.
  }

  /** Attempts are counted over the whole call, forked ones as well. */
  #countAttempt(): number {
    this.attempts = this.#parent === undefined ? this.attempts + 1 : this.#parent.#countAttempt();
    return this.attempts;
  }

  #land(level: number, value: unknown, failed: boolean): void {
    this.call = undefined;
    if (this.id !== 0) this.#chronicle.attemptEnds(endOf(value, failed), value);
    this.#ascend(level, value, failed);
  }

  #leaveBehind(error: unknown, outcome: Outcome): void {
    this.#flying = false;
    this.#flight = this.#flight.leaveBehind(this);
    this.#chronicle.attemptEnds(outcome, error);
    const attempt = this.call;
    this.call = undefined;
    attempt?.abort(error);
  }

  /** Ends the call; `known` says how, where the error alone does not tell. */
  #finish(value: unknown, failed: boolean, known?: Outcome): void {
    const resolve = this.#resolve;
    const reject = this.#reject;
    if (this.#chronicle.tellsCall) {
      const outcome = known ?? endOf(value, failed);
      this.#chronicle.callEnds(outcome, this.attempts, this.degraded !== undefined, value);
    }
    if (this.#floor !== CALLER) this.#endedDegraded = this.degraded;
    else {
      this.program.tally.inFlight -= 1;
      if (this.degraded !== undefined && !failed) this.caller.tellDegraded(this.degraded);
    }
    // An answer from elsewhere that came while this one was broken off already.
    if (this.#doom?.failed === false) this.caller.discard(this.#doom.value);
    this.caller.release();
    this.#reset();
    if (!failed) resolve(value);
    else if (this.#starting) rejectLater(reject, named(value, this.program.world));
    else reject(named(value, this.program.world));
    if (this.passOn !== undefined) passOn(this);
    this.program.giveBack(this);
  }

  #reset(): void {
    this.fn = unset;
    this.#resolve = unset;
    this.#reject = unset;
    this.attempts = 0;
    this.#context = undefined;
    this.#answer = undefined;
    this.#doom = undefined;
    this.#instead = unset;
    this.degraded = undefined;
    this.countedFor = undefined;
    this.#parent = undefined;
    this.#floor = CALLER;
    this.#chronicle.close();
  }
}
