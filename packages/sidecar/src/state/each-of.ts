import type { StateOperation, StateStore } from './state-store.ts';
import { NotAllWrittenError, togetherSaid } from './write-each.ts';

/**
 * Writes each for itself; done again, by a retry, it leaves out what is written: that has another
 * etag by now.
 */
export function eachOf(
  store: Pick<StateStore, 'write'>,
  makers: readonly (() => StateOperation)[],
) {
  let pending = makers;
  return async (call?: { readonly signal: AbortSignal }): Promise<void> => {
    const failed = new Map<() => StateOperation, Error>();
    const made = new Map<StateOperation, () => StateOperation>();
    for (const make of pending) {
      try {
        made.set(make(), make);
      } catch (error) {
        failed.set(make, error as Error);
      }
    }
    try {
      if (made.size > 0) await store.write([...made.keys()], false, call?.signal);
    } catch (error) {
      for (const [operation, make] of made) {
        const own = error instanceof NotAllWrittenError ? error.failures.get(operation) : error;
        if (own !== undefined) failed.set(make, own as Error);
      }
    }
    pending = pending.filter((make) => failed.has(make));
    const errors = pending.map((make) => failed.get(make)!);
    if (errors.length > 0) throw togetherSaid(errors, makers.length);
  };
}
