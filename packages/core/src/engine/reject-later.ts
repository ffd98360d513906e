import { isPolicyError } from '../errors.ts';
import type { StageWorld } from './stage.ts';

const SETTLED = /* @__PURE__ */ Promise.resolve();

/** Says in an error of our policies, which has no stack, whose call it ended. */
export function named(error: unknown, { pipeline }: Pick<StageWorld, 'pipeline'>): unknown {
  // By `Reflect`, which does not throw where somebody has frozen it.
  if (isPolicyError(error) && error.pipeline === undefined)
    Reflect.set(error, 'pipeline', pipeline);
  return error;
}

/**
 * Rejected before the caller has seen it, a promise is first taken for one that
 * nobody handles. That costs more than the refusal itself; one microtask later
 * it is not so.
 */
export function rejectLater(reject: (error: unknown) => void, error: unknown): void {
  void SETTLED.then(() => reject(error));
}

/** In place of what a pooled operation has not been given yet. */
export function unset(): void {}
