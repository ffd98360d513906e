import type { Operation } from './operation.ts';

/** Time that the stages outside `below` leave to what runs inside them, in milliseconds. */
export function remainingInside(op: Operation, below: number): number {
  const { stages } = op.program;
  let least = op.caller.remainingMs;
  for (let i = 0; i < below; i += 1) {
    const ms = stages[i]!.remainingMs?.(op, i);
    if (ms !== undefined && ms < least) least = ms;
  }
  return least;
}
