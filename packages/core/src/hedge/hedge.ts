import { deposit, withdraw } from '../budget/spending.ts';
import { discard } from '../engine/late-result.ts';
import type { Operation } from '../engine/operation.ts';
import { type Cut, type Exit, HELD, type Stage, type StageWorld } from '../engine/stage.ts';
import { Alarm } from '../engine/timers/alarm.ts';
import { isPolicyError } from '../errors.ts';
import type { Forecast, WorstCase } from '../explain/explain.ts';
import type { Remark } from '../explain/remarks.ts';
import type { PolicySnapshot } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { LiveQuantile } from './live-quantile.ts';
import { type HedgeOptions, type ResolvedHedgeOptions, resolveHedgeOptions } from './options.ts';
import { remarksOnHedge } from './remarks.ts';

/**
 * Sends another attempt when the first takes longer than calls usually do, and
 * takes the answer that comes first; the others are aborted and their results
 * discarded. It buys the slowest calls' time with a few calls more.
 *
 * A failure does not win while another attempt is under way, unless it is told
 * to. A call that is not idempotent is never hedged: both attempts may be executed.
 *
 * @throws RangeError for a value out of range, TypeError for a name that is no option.
 */
export function hedge(given: HedgeOptions = {}): Policy<ResolvedHedgeOptions> {
  const options = resolveHedgeOptions(given);
  const policy: Policy<ResolvedHedgeOptions> = {
    kind: 'hedge',
    name: options.name,
    options,
    stage: (world) => new HedgeStage(policy, world),
  };
  return policy;
}

/** An attempt beside the first. */
interface Hedge {
  /** Undefined until it has begun, and where it ended while it began. */
  twin: Operation | undefined;
  /** Whether the race has been decided without it: what comes of it then reaches nobody. */
  over: boolean;
  readonly startedMs: number;
}

/** What one operation keeps for its hedge. */
class Race {
  readonly alarm: Alarm;
  readonly hedges: Hedge[] = [];
  sent = 0;
  startedMs = 0;
  delayMs = 0;
  /** How the first attempt failed while others went on. */
  lost: { readonly value: unknown; readonly failed: boolean } | undefined = undefined;

  constructor(alarm: Alarm) {
    this.alarm = alarm;
  }
}

class HedgeStage implements Stage {
  readonly policy: Policy<ResolvedHedgeOptions>;
  readonly #options: ResolvedHedgeOptions;
  readonly #world: StageWorld;
  #durations: LiveQuantile | undefined;

  constructor(policy: Policy<ResolvedHedgeOptions>, world: StageWorld) {
    const { quantile } = policy.options;
    this.policy = policy;
    this.#options = policy.options;
    this.#world = world;
    this.#durations =
      quantile && new LiveQuantile(quantile.quantile, quantile.windowMs, world.clock.now());
  }

  slot(op: Operation, index: number): Race {
    return new Race(new Alarm(op, index));
  }

  enter(op: Operation, index: number): undefined {
    const race = op.slots[index] as Race;
    race.sent = 0;
    race.lost = undefined;
    deposit(this.#options.budget, op, this.#world);
    if (this.#durations !== undefined) race.startedMs = this.#world.clock.now();
    race.delayMs = op.caller.idempotent ? this.#delayMs(race.startedMs) : Infinity;
    if (race.delayMs === Infinity) return;
    // The other attempts begin from a timer: they run in the caller's context all the same.
    op.keepContext();
    this.#world.alarms.arm(race.alarm, race.delayMs);
  }

  leave(op: Operation, index: number, value: unknown, failed: boolean): Exit {
    const race = op.slots[index] as Race;
    const won = !failed && this.#wins(race, value);
    if (won || isTimedOut(value, failed)) this.#learn(race.startedMs);
    if (!won && !this.#options.failureWins && race.hedges.length > 0) {
      race.lost = { value, failed };
      return HELD;
    }
    this.#endOthers(race, this.#lost, 'cancelled');
    return undefined;
  }

  abandon(op: Operation, index: number, cut: Cut, error: unknown): void {
    const race = op.slots[index] as Race;
    // It took at least so long; one that has failed already is not what a time limit ends.
    if (cut === 'overdue') this.#learn(race.startedMs);
    // What the first attempt came to will not be the call's outcome.
    const { lost } = race;
    race.lost = undefined;
    this.#endOthers(race, () => error, cut);
    if (lost?.failed === false) op.caller.discard(lost.value);
  }

  ring(op: Operation, index: number): void {
    const race = op.slots[index] as Race;
    const { budget, maxHedges } = this.#options;
    const { alarms, reporter } = this.#world;
    if (!withdraw(budget, this.#world, this.policy.name, op.id)) return;
    race.sent += 1;
    if (race.sent < maxHedges) alarms.arm(race.alarm, race.delayMs);
    if (reporter.listening) {
      reporter.report(op.id, {
        type: 'hedge',
        policy: this.policy.name,
        attempt: op.attempts + 1,
        afterMs: race.delayMs,
      });
    }
    // Whoever heard of it may have ended the call.
    if (!op.isEnding) this.#send(op, index, race);
  }

  adopt(old: Stage): void {
    const { quantile } = this.#options;
    if (!(old instanceof HedgeStage) || quantile === undefined) return;
    const before = old.#options.quantile;
    const same = before?.quantile === quantile.quantile && before.windowMs === quantile.windowMs;
    if (same) this.#durations = old.#durations;
  }

  forecast(inner: WorstCase): Forecast {
    const { budget, delayMs, maxHedges, quantile } = this.#options;
    const [longestMs, when] =
      quantile === undefined
        ? [delayMs as number, `after ${delayMs} ms`]
        : [quantile.maxDelayMs, `later than ${quantile.quantile * 100} % of the last calls took`];
    const within = budget === undefined ? '' : `, within the budget "${budget.name}"`;
    return {
      maxAttempts: inner.maxAttempts * (maxHedges + 1),
      worstCaseMs: inner.worstCaseMs + maxHedges * Math.min(longestMs, inner.worstCaseMs),
      words: `sends up to ${maxHedges} more ${when}${within}, and takes the first answer; calls that are not idempotent are sent once.`,
    };
  }

  remarks(inside: readonly Policy[]): readonly Remark[] {
    return remarksOnHedge(this.policy, inside);
  }

  inspect(): Partial<PolicySnapshot> {
    const { budget } = this.#options;
    const nowMs = this.#world.clock.now();
    const hedge = { delayMs: this.#delayMs(nowMs) };
    return budget === undefined ? { hedge } : { hedge, budget: budget.inspect(nowMs) };
  }

  #send(op: Operation, index: number, race: Race): void {
    const startedMs = this.#durations === undefined ? 0 : this.#world.clock.now();
    // The operation may be another call's by the time that a hedge of this one ends.
    const { options } = op.caller;
    const one: Hedge = { twin: undefined, over: false, startedMs };
    race.hedges.push(one);
    const twin = op.fork(index, (value, failed, degraded) => {
      // It is pooled now, and somebody else's next.
      one.twin = undefined;
      const { failureIfResult, failureWins } = this.#options;
      let won = false;
      let end = { value, failed };
      try {
        won = !failed && !one.over && !failureIfResult(value);
      } catch (thrown) {
        // The predicate's error is the call's, whoever of them has brought it about.
        end = { value: thrown, failed: true };
      }
      const threw = end.failed !== failed;
      let isLost = !failed;
      // Asked after the predicate, which may have ended the call.
      if (!one.over) {
        race.hedges.splice(race.hedges.indexOf(one), 1);
        if (won || isTimedOut(value, failed)) this.#learn(one.startedMs);
        if (won) op.degraded = degraded;
        if (won || failureWins || threw) {
          isLost &&= threw;
          this.#overtake(op, index, end.value, end.failed);
        } else this.#drop(op, index, race);
      }
      // Last, as whoever hears of it may end the call, and with it the operation.
      if (isLost) discard(options, value);
    });
    one.twin = twin;
    // While it began, the race may have been called off.
    if (one.over) twin?.end(this.#lost(), 'cancelled');
  }

  /** Whether the first attempt's result is the answer; a predicate that throws ends the race with its error. */
  #wins(race: Race, value: unknown): boolean {
    try {
      return !this.#options.failureIfResult(value);
    } catch (thrown) {
      this.#endOthers(race, this.#lost, 'cancelled');
      throw thrown;
    }
  }

  /** A hedge has decided the race. Whoever hears of what comes of the others may end the call: they are ended last. */
  #overtake(op: Operation, index: number, value: unknown, failed: boolean): void {
    const race = op.slots[index] as Race;
    const { lost } = race;
    const { options } = op.caller;
    race.lost = undefined;
    // The first took at least so long: left out, the estimate would grow ever shorter.
    if (lost === undefined) this.#learn(race.startedMs);
    const reason = this.#lost();
    this.#world.alarms.disarm(race.alarm);
    const losers = callOff(race, reason, 'cancelled');
    op.overtake(index, value, failed, reason, 'cancelled');
    for (const { twin } of losers) twin?.end(reason, 'cancelled');
    if (lost?.failed === false) discard(options, lost.value);
  }

  /** A hedge has failed. When all have, the first one's outcome is the call's. */
  #drop(op: Operation, index: number, race: Race): void {
    const { lost } = race;
    if (lost === undefined || race.hedges.length > 0) return;
    this.#world.alarms.disarm(race.alarm);
    race.lost = undefined;
    op.overtake(index, lost.value, lost.failed, undefined, 'cancelled');
  }

  /** Ends whatever is still under way beside the first attempt. */
  #endOthers(race: Race, why: () => unknown, cut: Cut): void {
    this.#world.alarms.disarm(race.alarm);
    if (race.hedges.length === 0) return;
    const reason = why();
    for (const { twin } of callOff(race, reason, cut)) twin?.end(reason, cut);
  }

  readonly #lost = () => new HedgeLostError(this.policy.name);

  #delayMs(nowMs: number): number {
    const { delayMs, quantile } = this.#options;
    // One of the two is given, and with the quantile there are durations.
    if (quantile === undefined || this.#durations === undefined) return delayMs as number;
    const valueMs = this.#durations.valueMs(nowMs);
    if (this.#durations.count < quantile.minimumCalls) return Infinity;
    return Math.min(quantile.maxDelayMs, Math.max(quantile.minDelayMs, valueMs));
  }

  /** An attempt that began at `startedMs` has taken until now, or would have taken longer. */
  #learn(startedMs: number): void {
    if (this.#durations === undefined) return;
    const nowMs = this.#world.clock.now();
    this.#durations.add(nowMs - startedMs, nowMs);
  }
}

/**
 * Takes whatever is under way beside the first attempt out of the race. All of it, before any of it is ended: a
 * place that one leaves must not go to another that is to end as well.
 */
function callOff(race: Race, reason: unknown, cut: Cut): readonly Hedge[] {
  const losers = race.hedges.splice(0);
  for (const loser of losers) {
    loser.over = true;
    loser.twin?.end(reason, cut, false);
  }
  return losers;
}

/** A time-out further in: a failure, but one that says how long at least. */
const isTimedOut = (value: unknown, failed: boolean) =>
  failed && isPolicyError(value) && value.code === 'TIMED_OUT';

/** The reason with which the attempts that did not win are aborted. */
export class HedgeLostError extends Error {
  override readonly name = 'HedgeLostError';

  constructor(policy: string) {
    super(`Another attempt of "${policy}" answered first.`);
  }
}
