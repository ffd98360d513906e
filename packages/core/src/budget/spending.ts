import type { Operation } from '../engine/operation.ts';
import type { StageWorld } from '../engine/stage.ts';
import type { RetryBudget } from './retry-budget.ts';

/** Counts a call towards a budget, once, however many of its policies share it and however often it is tried. */
export function deposit(budget: RetryBudget | undefined, op: Operation, world: StageWorld): void {
  if (budget === undefined || op.countedFor === budget) return;
  op.countedFor = budget;
  budget.deposit(world.clock.now());
}

/** Takes one attempt more out of a budget, if there is one, and tells when there is none left. */
export function withdraw(
  budget: RetryBudget | undefined,
  { clock, reporter }: StageWorld,
  policy: string,
  call: number,
): boolean {
  if (budget === undefined) return true;
  const nowMs = clock.now();
  if (budget.withdraw(nowMs)) return true;
  if (reporter.listening) {
    const { spent, allowed } = budget.inspect(nowMs);
    const used = allowed === 0 ? Infinity : Math.max(1, spent / allowed);
    reporter.report(call, { type: 'budget-exhausted', policy, budget: budget.name, used });
  }
  return false;
}
