import type { Operation } from '../engine/operation.ts';
import { refused } from '../engine/report/refused.ts';
import { type Entry, HELD, type Stage, type StageWorld } from '../engine/stage.ts';
import { Alarm } from '../engine/timers/alarm.ts';
import { RateLimitedError } from '../errors.ts';
import type { Forecast, WorstCase } from '../explain/explain.ts';
import { Lru } from '../lru.ts';
import type { PolicySnapshot } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import type { QueueLink } from '../queue-link.ts';
import { type InLine, Line } from './line.ts';
import {
  type RateLimitOptions,
  type ResolvedRateLimitOptions,
  resolveRateLimitOptions,
} from './options.ts';
import type { RateAnswer } from './rate-store.ts';
import { isInTime, turnsOf } from './turns.ts';

/**
 * Lets so many calls through in each interval; those beyond wait their turn, or
 * are refused and told when there might be one. Calls with a `key` have a rate
 * for each key.
 *
 * @throws RangeError for a value out of range, TypeError for a name that is no option.
 */
export function rateLimit(given: RateLimitOptions): Policy<ResolvedRateLimitOptions> {
  const options = resolveRateLimitOptions(given);
  const policy: Policy<ResolvedRateLimitOptions> = {
    kind: 'rateLimit',
    name: options.name,
    options,
    stage: (world) => new RateLimitStage(policy, world),
  };
  return policy;
}

/** What one operation keeps for its rate limit. */
class Turn implements InLine {
  prev: QueueLink = this;
  next: QueueLink = this;
  /** Where it waits for its turn; undefined where it does not, or a store has given it one. */
  line: Line | undefined = undefined;
  /** Rings when a store has not answered, or at the turn that one has given. */
  readonly alarm: Alarm;
  /** Grows whenever it no longer waits for what it waited for: a late answer of a store is known by it. */
  visit = 0;
  /** Whether it waits for its turn. */
  queued = false;
  sinceMs = 0;
  readonly #op: Operation;
  readonly #index: number;

  constructor(op: Operation, index: number) {
    this.#op = op;
    this.#index = index;
    this.alarm = new Alarm(op, index);
  }

  hasTurn(): void {
    this.line = undefined;
    this.#op.ring(this.#index);
  }
}

/** A call without a key has this one's rate. */
const NO_KEY = '';

class RateLimitStage implements Stage {
  readonly policy: Policy<ResolvedRateLimitOptions>;
  readonly #options: ResolvedRateLimitOptions;
  readonly #world: StageWorld;
  #lines: Lru<string, Line>;
  /** Of the stages before it as well, whose calls still wait after a swap. */
  #count = { waiting: 0 };

  constructor(policy: Policy<ResolvedRateLimitOptions>, world: StageWorld) {
    this.policy = policy;
    this.#options = policy.options;
    this.#world = world;
    const { maxKeys } = policy.options;
    this.#lines = new Lru(maxKeys, () => new Line(world.clock, turnsOf(policy.options)));
  }

  slot(op: Operation, index: number): Turn {
    return new Turn(op, index);
  }

  enter(op: Operation, index: number): Entry {
    const turn = op.slots[index] as Turn;
    if (this.#options.store !== undefined) {
      this.#ask(op, index, turn);
      return HELD;
    }
    return this.#decideAlone(op, turn);
  }

  leave(): undefined {}

  abandon(op: Operation, index: number): void {
    const turn = op.slots[index] as Turn;
    const { queued } = turn;
    this.#stopWaiting(turn);
    if (queued) this.#reportQueued(op, turn, false);
  }

  ring(op: Operation, index: number): void {
    const turn = op.slots[index] as Turn;
    if (turn.queued) {
      const heard = this.#world.reporter.listening;
      this.#stopWaiting(turn);
      op.resume(index, heard ? () => this.#reportQueued(op, turn, true) : undefined);
      return;
    }
    const { storeTimeoutMs } = this.#options;
    this.#storeFailed(op, index, turn, new Error(`no answer within ${storeTimeoutMs} ms`));
  }

  adopt(old: Stage): void {
    if (!(old instanceof RateLimitStage)) return;
    this.#count = old.#count;
    const { limit, intervalMs, burst, algorithm, warmUpMs } = this.#options;
    const was = old.#options;
    const same =
      was.limit === limit &&
      was.intervalMs === intervalMs &&
      was.burst === burst &&
      was.algorithm === algorithm &&
      was.warmUpMs === warmUpMs;
    // Another rate is another bucket; the old one's tokens mean nothing in it.
    if (!same) return;
    this.#lines = old.#lines;
    this.#lines.keep(this.#options.maxKeys);
  }

  forecast(inner: WorstCase): Forecast {
    const { limit, intervalMs, maxWaitMs, store, storeTimeoutMs } = this.#options;
    const rate = `${limit} calls in ${intervalMs} ms`;
    const shared = store === undefined ? '' : ', shared with other processes';
    return {
      worstCaseMs: inner.worstCaseMs + maxWaitMs + (store === undefined ? 0 : storeTimeoutMs),
      refusals: [{ code: 'RATE_LIMITED', when: `beyond ${rate}` }],
      words: `lets ${rate} through${shared}, ${maxWaitMs > 0 ? `has others wait up to ${maxWaitMs} ms` : 'and refuses others'}.`,
    };
  }

  inspect(): Partial<PolicySnapshot> {
    return { rate: { keys: this.#lines.size, waiting: this.#count.waiting } };
  }

  #keyOf(op: Operation): string {
    return op.caller.options?.key ?? NO_KEY;
  }

  /** Whether it has its turn now, waits for it, or would have to wait for too long. */
  #decideAlone(op: Operation, turn: Turn): RateLimitedError | typeof HELD | undefined {
    const line = this.#lines.get(this.#keyOf(op));
    const nowMs = this.#world.clock.now();
    const waitMs = line.arrive(nowMs);
    if (waitMs === 0) return undefined;
    if (!isInTime(waitMs, this.#options.maxWaitMs)) return this.#refuse(op, waitMs);
    this.#wait(op, turn);
    turn.line = line;
    line.join(turn, nowMs, waitMs);
    return HELD;
  }

  #ask(op: Operation, index: number, turn: Turn): void {
    const { store, storeTimeoutMs, ...rule } = this.#options;
    const { visit } = turn;
    const { name } = this.policy;
    op.keepContext();
    this.#world.alarms.arm(turn.alarm, storeTimeoutMs);
    // In a promise of its own: a store that throws at once is a store that fails.
    const asked = (async () => {
      const answer = await store!.take(`${name} ${this.#keyOf(op)}`, rule);
      if (typeof answer?.taken === 'boolean' && answer.waitMs >= 0) return answer;
      throw new TypeError(`The rate store answered with ${JSON.stringify(answer)}.`);
    })();
    asked.then(
      (answer) => {
        if (turn.visit === visit) op.turn(() => this.#meet(op, index, turn, answer));
      },
      (error: unknown) => {
        if (turn.visit === visit) op.turn(() => this.#storeFailed(op, index, turn, error));
      },
    );
  }

  #storeFailed(op: Operation, index: number, turn: Turn, error: unknown): void {
    const { reporter } = this.#world;
    if (reporter.listening) {
      reporter.report(op.id, { type: 'store-failed', policy: this.policy.name, error });
    }
    this.#stopWaiting(turn);
    const entry = this.#decideAlone(op, turn);
    if (entry === undefined) op.resume(index);
    else if (entry !== HELD) op.settleHeld(index, entry, true);
  }

  /** An answer for an operation that was held for it. */
  #meet(op: Operation, index: number, turn: Turn, answer: RateAnswer): void {
    this.#stopWaiting(turn);
    if (!answer.taken) op.settleHeld(index, this.#refuse(op, answer.waitMs), true);
    else if (answer.waitMs > 0) {
      this.#wait(op, turn);
      this.#world.alarms.arm(turn.alarm, answer.waitMs);
    } else op.resume(index);
  }

  #wait(op: Operation, turn: Turn): void {
    op.keepContext();
    turn.queued = true;
    turn.sinceMs = this.#world.clock.now();
    this.#count.waiting += 1;
  }

  #stopWaiting(turn: Turn): void {
    this.#world.alarms.disarm(turn.alarm);
    turn.line?.leave(turn);
    turn.line = undefined;
    if (turn.queued) this.#count.waiting -= 1;
    turn.visit += 1;
    turn.queued = false;
  }

  #reportQueued(op: Operation, turn: Turn, admitted: boolean): void {
    const { clock, reporter } = this.#world;
    if (!reporter.listening) return;
    const waitedMs = clock.now() - turn.sinceMs;
    const { name: policy } = this.policy;
    reporter.report(op.id, {
      type: 'queued',
      policy,
      waitedMs,
      admitted,
      depth: this.#count.waiting,
    });
  }

  #refuse(op: Operation, waitMs: number): RateLimitedError {
    const { name } = this.policy;
    const { limit, intervalMs } = this.#options;
    const retryAfterMs = Math.ceil(waitMs);
    const message = `Rate limit "${name}" of ${limit} calls in ${intervalMs} ms is used up. Try again in ${retryAfterMs} ms.`;
    return refused(this.#world, op, new RateLimitedError(name, message, retryAfterMs));
  }
}
