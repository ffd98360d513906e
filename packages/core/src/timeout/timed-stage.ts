import { Alarm } from '../engine/alarm.ts';
import type { Operation } from '../engine/operation.ts';
import type { Stage, StageWorld } from '../engine/stage.ts';
import type { Forecast, WorstCase } from '../explain/explain.ts';
import type { Policy } from '../policy.ts';

/** What tells one limit of time from another. */
export interface TimeLimit {
  readonly policy: Policy;
  readonly limitMs: number;
  readonly overdue: () => Error;
  readonly words: string;
}

/** Cuts what is inside it when its time is over; `timeout` and `deadline` are both this. */
export class TimedStage implements Stage {
  readonly policy: Policy;
  readonly timed = true;
  readonly #limit: TimeLimit;
  readonly #world: StageWorld;

  constructor(limit: TimeLimit, world: StageWorld) {
    this.policy = limit.policy;
    this.#limit = limit;
    this.#world = world;
  }

  slot(op: Operation, index: number): Alarm {
    return new Alarm(op, index);
  }

  enter(op: Operation, index: number): undefined {
    this.#world.alarms.arm(op.slots[index] as Alarm, this.#limit.limitMs);
  }

  leave(op: Operation, index: number): undefined {
    this.#world.alarms.disarm(op.slots[index] as Alarm);
  }

  abandon(op: Operation, index: number): void {
    this.#world.alarms.disarm(op.slots[index] as Alarm);
  }

  ring(op: Operation, index: number): void {
    const { reporter } = this.#world;
    const { limitMs, overdue, policy } = this.#limit;
    if (reporter.listening) {
      const attempt = op.call?.attempt ?? op.attempts;
      reporter.report(op.id, { type: 'timeout', policy: policy.name, limitMs, attempt });
    }
    op.cut(index, overdue(), 'overdue');
  }

  remainingMs(op: Operation, index: number): number {
    return this.#world.alarms.remainingMs(op.slots[index] as Alarm);
  }

  forecast(inner: WorstCase): Forecast {
    const { limitMs, words } = this.#limit;
    return { worstCaseMs: Math.min(inner.worstCaseMs, limitMs), words };
  }
}
