import type { Operation } from '../engine/operation.ts';
import type { Entry, Stage, StageWorld } from '../engine/stage.ts';
import { Alarm } from '../engine/timers/alarm.ts';
import type { Forecast, WorstCase } from '../explain/explain.ts';
import type { Remark } from '../explain/remarks.ts';
import type { ResolvedHedgeOptions } from '../hedge/options.ts';
import { hedgeTooLate } from '../hedge/remarks.ts';
import type { Policy } from '../policy.ts';
import type { LimitFor, ResolvedTimeLimitOptions } from './options.ts';

/** What tells one limit of time from another. */
export interface TimeLimit {
  readonly policy: Policy<ResolvedTimeLimitOptions>;
  readonly limitMs: number;
  readonly limitFor?: LimitFor | undefined;
  readonly overdue: (limitMs: number) => Error;
  readonly words: string;
  readonly remarks: (inside: readonly Policy[]) => readonly Remark[];
}

/** What one operation keeps for its limit. */
interface Limited {
  readonly alarm: Alarm;
  limitMs: number;
}

/** Cuts what is inside it when its time is over; `timeout` and `deadline` are both this. */
export class TimedStage implements Stage {
  readonly policy: Policy;
  readonly timed = true;
  readonly #limit: TimeLimit;
  readonly #world: StageWorld;
  readonly #asks: boolean;

  constructor(limit: TimeLimit, world: StageWorld) {
    this.policy = limit.policy;
    this.#limit = limit;
    this.#world = world;
    this.#asks = limit.limitFor !== undefined;
  }

  slot(op: Operation, index: number): Limited {
    return { alarm: new Alarm(op, index), limitMs: this.#limit.limitMs };
  }

  enter(op: Operation, index: number): Entry {
    const limited = op.slots[index] as Limited;
    const refusal = this.#asks ? this.#ask(op, index, limited) : undefined;
    if (refusal === undefined) this.#world.alarms.arm(limited.alarm, limited.limitMs);
    return refusal;
  }

  leave(op: Operation, index: number): undefined {
    this.#world.alarms.disarm((op.slots[index] as Limited).alarm);
  }

  abandon(op: Operation, index: number): void {
    this.#world.alarms.disarm((op.slots[index] as Limited).alarm);
  }

  ring(op: Operation, index: number): void {
    const { reporter } = this.#world;
    const { overdue, policy } = this.#limit;
    const { limitMs } = op.slots[index] as Limited;
    if (reporter.listening) {
      const attempt = op.call?.attempt ?? op.attempts;
      reporter.report(op.id, { type: 'timeout', policy: policy.name, limitMs, attempt });
    }
    op.cut(index, overdue(limitMs), 'overdue');
  }

  remainingMs(op: Operation, index: number): number {
    return this.#world.alarms.remainingMs((op.slots[index] as Limited).alarm);
  }

  /** Asks how long this call may take; what it throws is the call's outcome. */
  #ask(op: Operation, index: number, limited: Limited): Error | undefined {
    const { limitFor, limitMs: longestMs, overdue } = this.#limit;
    const saidMs = limitFor?.({
      attempt: op.attempts + 1,
      remainingMs: op.remainingMs(index),
      criticality: op.caller.criticality,
      key: op.caller.options?.key,
    });
    if (saidMs !== undefined && (typeof saidMs !== 'number' || Number.isNaN(saidMs))) {
      const rule = 'timeout.limitFor must return a number of milliseconds or undefined';
      return new RangeError(`${rule}, not ${saidMs}.`);
    }
    limited.limitMs = Math.min(longestMs, saidMs ?? longestMs);
    return limited.limitMs > 0 ? undefined : overdue(0);
  }

  remarks(inside: readonly Policy[]): readonly Remark[] {
    const hedges = inside.filter(({ kind }) => kind === 'hedge') as Policy<ResolvedHedgeOptions>[];
    return [
      ...hedges.flatMap((hedge) => hedgeTooLate(hedge, this.#limit.policy, false)),
      ...this.#limit.remarks(inside),
    ];
  }

  forecast(inner: WorstCase): Forecast {
    const { limitMs, words } = this.#limit;
    return { worstCaseMs: Math.min(inner.worstCaseMs, limitMs), words };
  }
}
