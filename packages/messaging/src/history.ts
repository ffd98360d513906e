import { HISTORY_LIMIT, type HistoryEntry } from './store.ts';

/** A history with one more entry, and at most the last `HISTORY_LIMIT`. Long details are cut. */
export function withEntry(
  history: readonly HistoryEntry[],
  what: HistoryEntry['what'],
  detail: string,
  wallMs: number,
): readonly HistoryEntry[] {
  // Half a surrogate pair, cut or given, is what PostgreSQL does not keep.
  const entry = {
    at: new Date(wallMs).toISOString(),
    what,
    detail: detail.slice(0, 500).toWellFormed(),
  };
  return [...history, entry].slice(-HISTORY_LIMIT);
}
