import type { PolicyError } from '../../errors.ts';
import type { Operation } from '../operation.ts';
import type { StageWorld } from '../stage.ts';

/** Tells those who listen that a call was refused, and hands the refusal on. */
export function refused<E extends PolicyError>(
  { reporter }: StageWorld,
  op: Operation,
  refusal: E,
): E {
  const { code, policy } = refusal;
  if (reporter.listening) reporter.report(op.id, { type: 'refused', policy, code });
  return refusal;
}
