import { Alarm } from '../engine/alarm.ts';
import type { Operation } from '../engine/operation.ts';
import { type Entry, HELD, type Stage, type StageWorld } from '../engine/stage.ts';
import { BulkheadFullError, QueueTimedOutError } from '../errors.ts';
import type { Forecast, WorstCase } from '../explain/explain.ts';
import type { PolicySnapshot } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { forecastBulkhead } from './forecast.ts';
import {
  arrive,
  depart,
  type Gate,
  giveUp,
  isWaiting,
  letIn,
  newGate,
  type QueueLink,
} from './gate.ts';
import {
  type BulkheadOptions,
  type ResolvedBulkheadOptions,
  resolveBulkheadOptions,
} from './options.ts';

/**
 * Lets so many calls run at a time and so many more wait, in order of arrival.
 *
 * A call gives its place back when it leaves, timed out or not; a function that
 * ignores its signal after that runs outside the count.
 */
export function bulkhead(given: BulkheadOptions): Policy<ResolvedBulkheadOptions> {
  const options = resolveBulkheadOptions(given);
  const policy: Policy<ResolvedBulkheadOptions> = {
    kind: 'bulkhead',
    name: options.name,
    options,
    stage: (world) => new BulkheadStage(policy, world),
  };
  return policy;
}

/** What one operation keeps for its bulkhead: its place in the queue. */
class Waiter implements QueueLink {
  prev: QueueLink = this;
  next: QueueLink = this;
  /** Clock time of its arrival; -1 when nobody listened. */
  sinceMs = -1;
  readonly op: Operation;
  readonly index: number;
  readonly alarm: Alarm;

  constructor(op: Operation, index: number) {
    this.op = op;
    this.index = index;
    this.alarm = new Alarm(op, index);
  }
}

/** What a swap hands on: the gate, and the rules that it follows now. */
interface Shared {
  readonly gate: Gate;
  rules: ResolvedBulkheadOptions;
  /** Whether somebody is letting waiters in: what ends at once meanwhile leaves the next one to it. */
  pumping: boolean;
}

class BulkheadStage implements Stage {
  readonly policy: Policy<ResolvedBulkheadOptions>;
  readonly #world: StageWorld;
  #shared: Shared;

  constructor(policy: Policy<ResolvedBulkheadOptions>, world: StageWorld) {
    this.policy = policy;
    this.#world = world;
    this.#shared = { gate: newGate(), rules: policy.options, pumping: false };
  }

  slot(op: Operation, index: number): Waiter {
    return new Waiter(op, index);
  }

  enter(op: Operation, index: number): Entry {
    const { gate, rules } = this.#shared;
    const waiter = op.slots[index] as Waiter;
    switch (arrive(gate, waiter, rules)) {
      case 'inside':
        return undefined;
      case 'waits':
        op.keepContext();
        waiter.sinceMs = this.#world.reporter.listening ? this.#world.clock.now() : -1;
        this.#world.alarms.arm(waiter.alarm, rules.queueTimeoutMs);
        return HELD;
      case 'full':
        return this.#refuse(
          op,
          new BulkheadFullError(
            this.policy.name,
            `Bulkhead "${this.policy.name}" is full: ${gate.active} running, ${gate.queued} waiting. Try again when some have ended.`,
          ),
        );
    }
  }

  leave(): undefined {
    depart(this.#shared.gate);
    if (this.#shared.gate.queued > 0) this.#pump();
  }

  abandon(op: Operation, index: number): void {
    const waiter = op.slots[index] as Waiter;
    if (isWaiting(waiter)) this.#giveUp(waiter);
    else this.leave();
  }

  ring(op: Operation, index: number): void {
    const waiter = op.slots[index] as Waiter;
    this.#giveUp(waiter);
    const { name } = this.policy;
    const { queueTimeoutMs } = this.#shared.rules;
    const message = `A call waited ${queueTimeoutMs} ms for a place in bulkhead "${name}" and got none. Try again when some have ended.`;
    op.settleHeld(index, this.#refuse(op, new QueueTimedOutError(name, message)), true);
  }

  adopt(old: Stage): void {
    if (!(old instanceof BulkheadStage)) return;
    this.#shared = old.#shared;
    this.#shared.rules = this.policy.options;
    // There may be more places than before.
    this.#pump();
  }

  forecast(inner: WorstCase): Forecast {
    return forecastBulkhead(inner, this.policy.options);
  }

  inspect(): Partial<PolicySnapshot> {
    const { active, queued } = this.#shared.gate;
    return { bulkhead: { active, queued } };
  }

  /**
   * Lets waiters in, in a loop: a function that ends at once frees its place
   * within this very call, and a thousand of them must not go a thousand deep.
   */
  #pump(): void {
    const shared = this.#shared;
    if (shared.pumping) return;
    shared.pumping = true;
    for (;;) {
      const waiter = letIn(shared.gate, shared.rules) as Waiter | undefined;
      if (waiter === undefined) break;
      this.#world.alarms.disarm(waiter.alarm);
      const heard = this.#world.reporter.listening;
      waiter.op.resume(waiter.index, heard ? () => this.#reportQueued(waiter, true) : undefined);
    }
    shared.pumping = false;
  }

  #giveUp(waiter: Waiter): void {
    giveUp(this.#shared.gate, waiter);
    this.#world.alarms.disarm(waiter.alarm);
    this.#reportQueued(waiter, false);
  }

  #reportQueued(waiter: Waiter, admitted: boolean): void {
    const { clock, reporter } = this.#world;
    if (!reporter.listening || waiter.sinceMs < 0) return;
    const waitedMs = clock.now() - waiter.sinceMs;
    const depth = this.#shared.gate.queued;
    const { name: policy } = this.policy;
    reporter.report(waiter.op.id, { type: 'queued', policy, waitedMs, admitted, depth });
  }

  #refuse<E extends BulkheadFullError | QueueTimedOutError>(op: Operation, refusal: E): E {
    const { reporter } = this.#world;
    if (reporter.listening) {
      reporter.report(op.id, { type: 'refused', policy: this.policy.name, code: refusal.code });
    }
    return refusal;
  }
}
