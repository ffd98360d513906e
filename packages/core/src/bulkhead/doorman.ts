import type { Operation } from '../engine/operation.ts';
import { whenStopped } from '../engine/pass-on.ts';
import { refused } from '../engine/report/refused.ts';
import { type Entry, HELD, type StageWorld } from '../engine/stage.ts';
import { Alarm } from '../engine/timers/alarm.ts';
import { type PolicyError, QueueTimedOutError } from '../errors.ts';
import { CRITICALITIES } from '../policy.ts';
import { isWaiting, type QueueLink } from '../queue-link.ts';
import {
  arrive,
  depart,
  type Gate,
  type GateRules,
  giveUp,
  letIn,
  newGate,
  nextIn,
  nextOut,
  walkIn,
} from './gate.ts';

/** What a doorman goes by; may change while calls are inside and wait. */
export interface DoormanRules extends GateRules {
  readonly queueTimeoutMs: number;
}

/** What one operation keeps for its place in the queue. */
export class Waiter implements QueueLink {
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

/** Who stands at the gate: lets calls in, has them wait, refuses them, and tells of it. */
export class Doorman {
  readonly gate: Gate = newGate();
  rules: DoormanRules;
  readonly #policy: { readonly kind: string; readonly name: string };
  readonly #world: StageWorld;
  readonly #full: (gate: Gate) => PolicyError;
  readonly #admitted: ((waiter: Waiter) => void) | undefined;
  /** Whether somebody is letting waiters in: what ends at once meanwhile leaves the next one to it. */
  #pumping = false;

  /** `full` makes the error for whom there is no room; `admitted` hears of each who waited and is let in. */
  constructor(
    policy: { readonly kind: string; readonly name: string },
    world: StageWorld,
    rules: DoormanRules,
    full: (gate: Gate) => PolicyError,
    admitted?: (waiter: Waiter) => void,
  ) {
    this.#policy = policy;
    this.#world = world;
    this.rules = rules;
    this.#full = full;
    this.#admitted = admitted;
  }

  enter(op: Operation, waiter: Waiter): Entry {
    return walkIn(this.gate, this.rules) ? undefined : this.#receive(op, waiter);
  }

  /** For who cannot just walk in. */
  #receive(op: Operation, waiter: Waiter): Entry {
    const { gate, rules } = this;
    const ranked = rules.order === 'criticality';
    const rank = ranked ? CRITICALITIES.indexOf(op.caller.criticality) : 0;
    let told = arrive(gate, waiter, rules, rank);
    while (told === 'full' && ranked) {
      const refusal = this.#full(gate);
      const displaced = nextOut(gate, rank) as Waiter | undefined;
      // One of a listener's own, called while that one hears something: it cannot end within its turn.
      if (displaced === undefined || displaced.op.isOnItsWay) break;
      giveUp(gate, displaced);
      // Before this one waits: where the other's going leaves a place, whoever waits is let in at once, and
      // this one is still on its way.
      this.#refuseWaiter(displaced, refusal);
      told = arrive(gate, waiter, rules, rank);
    }
    if (told === 'inside') return undefined;
    if (told === 'full') return refused(this.#world, op, this.#full(gate));
    op.keepContext();
    waiter.sinceMs = this.#world.reporter.listening ? this.#world.clock.now() : -1;
    this.#world.alarms.arm(waiter.alarm, rules.queueTimeoutMs);
    return HELD;
  }

  leave(op: Operation): void {
    depart(this.gate);
    if (this.gate.queued > 0) whenStopped(op, () => this.pump());
  }

  abandon(waiter: Waiter): void {
    if (!isWaiting(waiter)) this.leave(waiter.op);
    else {
      giveUp(this.gate, waiter);
      this.#gone(waiter);
    }
  }

  /** The time that a call may wait is over. */
  ring(waiter: Waiter): void {
    giveUp(this.gate, waiter);
    const { kind, name } = this.#policy;
    const message = `A call waited ${this.rules.queueTimeoutMs} ms for a place in ${kind} "${name}" and got none. Try again when some have ended.`;
    this.#refuseWaiter(waiter, new QueueTimedOutError(name, message));
  }

  /**
   * Lets waiters in, in a loop: a function that ends at once frees its place
   * within this very call, and a thousand of them must not go a thousand deep.
   */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    for (;;) {
      const waiter = nextIn(this.gate, this.rules) as Waiter | undefined;
      if (waiter === undefined) break;
      // A listener of its own has made the place, while it hears an alarm: it is let in when it has heard it.
      if (waiter.op.isOnItsWay) {
        whenStopped(waiter.op, () => this.pump());
        break;
      }
      letIn(this.gate, waiter);
      this.#world.alarms.disarm(waiter.alarm);
      this.#admitted?.(waiter);
      const heard = this.#world.reporter.listening;
      waiter.op.resume(waiter.index, heard ? () => this.#reportQueued(waiter, true) : undefined);
    }
    this.#pumping = false;
  }

  #refuseWaiter(waiter: Waiter, refusal: PolicyError): void {
    const { index, op } = waiter;
    op.turn(() => {
      this.#gone(waiter);
      op.settleHeld(index, refused(this.#world, op, refusal), true);
    });
  }

  /** One that waited is no longer in the queue, and was not let in. */
  #gone(waiter: Waiter): void {
    this.#world.alarms.disarm(waiter.alarm);
    this.#reportQueued(waiter, false);
  }

  #reportQueued(waiter: Waiter, admitted: boolean): void {
    const { clock, reporter } = this.#world;
    if (!reporter.listening || waiter.sinceMs < 0) return;
    const waitedMs = clock.now() - waiter.sinceMs;
    const depth = this.gate.queued;
    const { name: policy } = this.#policy;
    reporter.report(waiter.op.id, { type: 'queued', policy, waitedMs, admitted, depth });
  }
}
