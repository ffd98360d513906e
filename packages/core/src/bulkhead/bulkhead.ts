import type { Operation } from '../engine/operation.ts';
import type { Entry, Stage, StageWorld } from '../engine/stage.ts';
import { BulkheadFullError } from '../errors.ts';
import type { Forecast, WorstCase } from '../explain/explain.ts';
import { type Remark, remarkOnOrder } from '../explain/remarks.ts';
import type { PolicySnapshot } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { Doorman, Waiter } from './doorman.ts';
import { forecastBulkhead } from './forecast.ts';
import {
  type BulkheadOptions,
  type ResolvedBulkheadOptions,
  resolveBulkheadOptions,
} from './options.ts';

/**
 * Lets so many calls run at a time and so many more wait, in order of arrival
 * unless told otherwise.
 *
 * A call gives its place back when it leaves, timed out or not; a function that
 * ignores its signal after that runs outside the count.
 *
 * @throws RangeError for a value out of range, TypeError for a name that is no option.
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

class BulkheadStage implements Stage {
  readonly policy: Policy<ResolvedBulkheadOptions>;
  #doorman: Doorman;

  constructor(policy: Policy<ResolvedBulkheadOptions>, world: StageWorld) {
    this.policy = policy;
    const { name } = policy;
    this.#doorman = new Doorman(policy, world, policy.options, ({ active, queued }) => {
      const message = `Bulkhead "${name}" is full: ${active} running, ${queued} waiting. Try again when some have ended.`;
      return new BulkheadFullError(name, message);
    });
  }

  slot(op: Operation, index: number): Waiter {
    return new Waiter(op, index);
  }

  enter(op: Operation, index: number): Entry {
    return this.#doorman.enter(op, op.slots[index] as Waiter);
  }

  leave(op: Operation): undefined {
    this.#doorman.leave(op);
  }

  abandon(op: Operation, index: number): void {
    this.#doorman.abandon(op.slots[index] as Waiter);
  }

  ring(op: Operation, index: number): void {
    this.#doorman.ring(op.slots[index] as Waiter);
  }

  adopt(old: Stage): void {
    if (!(old instanceof BulkheadStage)) return;
    this.#doorman = old.#doorman;
    this.#doorman.rules = this.policy.options;
    // There may be more places than before.
    this.#doorman.pump();
  }

  forecast(inner: WorstCase): Forecast {
    return forecastBulkhead(inner, this.policy.options);
  }

  remarks(inside: readonly Policy[]): readonly Remark[] {
    const { policy } = this;
    return remarkOnOrder(
      'bulkhead-around-retry',
      policy,
      inside,
      'retry',
      (inner) =>
        `A call holds its place in "${policy.name}" while "${inner}" waits. Put the bulkhead inside the retry.`,
    );
  }

  inspect(): Partial<PolicySnapshot> {
    const { active, queued } = this.#doorman.gate;
    return { bulkhead: { active, queued } };
  }
}
