import type { Entry } from './entries.ts';

export interface Lifetimes {
  readonly ttlMs: number;
  readonly staleMs: number;
  readonly staleIfErrorMs: number;
}

/**
 * What an entry is good for now. `spare`: not to be given, unless the dependency
 * fails. `failed`: its error is to be given again.
 */
export type Freshness = 'fresh' | 'stale' | 'failed' | 'spare' | 'nothing';

export function freshnessOf(entry: Entry | undefined, nowMs: number, times: Lifetimes): Freshness {
  if (entry === undefined) return 'nothing';
  const { ttlMs, staleMs, staleIfErrorMs } = times;
  const pastMs = entry.hasValue ? nowMs - entry.storedMs - ttlMs : Infinity;
  if (pastMs < 0) return 'fresh';
  if (nowMs < entry.errorUntilMs) return 'failed';
  if (pastMs < staleMs) return 'stale';
  return pastMs < staleIfErrorMs ? 'spare' : 'nothing';
}

/** Whether its answer may be given in place of an error. */
export const isSpare = (entry: Entry | undefined, nowMs: number, times: Lifetimes): boolean =>
  entry?.hasValue === true && nowMs - entry.storedMs < times.ttlMs + times.staleIfErrorMs;

/** How long an answer is of any use; no store need keep it longer. */
export const keepMs = ({ ttlMs, staleMs, staleIfErrorMs }: Lifetimes): number =>
  ttlMs + Math.max(staleMs, staleIfErrorMs);
