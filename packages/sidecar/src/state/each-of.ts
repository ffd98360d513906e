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
    const made: { readonly operation: StateOperation; readonly make: () => StateOperation }[] = [];
    for (const make of pending) {
      try {
        made.push({ operation: make(), make });
      } catch (error) {
        failed.set(make, error as Error);
      }
    }
    try {
      const operations = made.map(({ operation }) => operation);
      if (operations.length > 0) await store.write(operations, false, call?.signal);
    } catch (error) {
      for (const [place, { make }] of made.entries()) {
        const own = error instanceof NotAllWrittenError ? error.failures[place] : error;
        if (own !== undefined) failed.set(make, own as Error);
      }
    }
    pending = pending.filter((make) => failed.has(make));
    const errors = pending.map((make) => failed.get(make)!);
    if (errors.length > 0) throw togetherSaid(errors, makers.length);
  };
}
