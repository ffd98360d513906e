import type { Remark } from '../explain/remarks.ts';
import type { Policy } from '../policy.ts';
import type { ResolvedTimeoutOptions } from '../timeout/options.ts';
import type { ResolvedHedgeOptions } from './options.ts';

/** What a hedge does with a retry, or with a time-out, inside it. */
export function remarksOnHedge(
  hedge: Policy<ResolvedHedgeOptions>,
  inside: readonly Policy[],
): readonly Remark[] {
  const again = inside.find(({ kind }) => kind === 'retry');
  // What a time-out inside a retry limits is one attempt, and the hedge waits for all of them.
  if (again !== undefined) {
    const words = `Each hedge of "${hedge.name}" makes all attempts of "${again.name}" once more, also while that only waits. Put the hedge inside the retry.`;
    return [{ rule: 'hedge-around-retry', policies: [hedge.name, again.name], words }];
  }
  return inside
    .filter(({ kind }) => kind === 'timeout')
    .flatMap((limit) => hedgeTooLate(hedge, limit as Policy<ResolvedTimeoutOptions>));
}

/** A hedge that is never sent, for what it hedges has been ended by then; `limit` is inside of it, or outside. */
export function hedgeTooLate(
  { name, options: { delayMs } }: Policy<ResolvedHedgeOptions>,
  limit: Policy<{ readonly limitMs: number }>,
  isInside = true,
): readonly Remark[] {
  const { limitMs } = limit.options;
  if (delayMs === undefined || delayMs < limitMs) return [];
  const words = `"${limit.name}" ends after ${limitMs} ms what "${name}" would hedge after ${delayMs} ms: it never does. Make its delay shorter.`;
  const policies = isInside ? [name, limit.name] : [limit.name, name];
  return [{ rule: 'hedge-too-late', policies, words }];
}
