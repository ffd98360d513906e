import { withEntry } from '../history.ts';
import type { HistoryEntry } from '../store.ts';
import { parseHistory } from './rows.ts';
import type { Statements } from './statements.ts';

/** The history of a message with one more entry, as it is kept. */
export function addTo(
  sql: Statements,
  seq: number,
  what: HistoryEntry['what'],
  detail: string,
  wallMs: number,
): string {
  const row = sql.historyOf.get(seq) as { history: string | null } | undefined;
  return JSON.stringify(withEntry(parseHistory(row?.history ?? null), what, detail, wallMs));
}
