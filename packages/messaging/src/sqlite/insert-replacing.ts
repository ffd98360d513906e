import { QUEUED, SCHEDULED } from '../kept-states.ts';
import { standingOf, type Waiting } from '../replacing.ts';
import { type AppendMessage, priorityOf, sizeOf } from '../store.ts';
import { headersText } from './rows.ts';
import type { Statements, Totals } from './statements.ts';

/** Puts a message in the place of those of its name, and takes them off `totals`. False, and nothing is done, where its id was known. */
export function insertReplacing(
  sql: Statements,
  totals: Totals,
  message: AppendMessage,
  nowMs: number,
): boolean {
  const { id, topic, key = null, body, replaces, lifetimeMs } = message;
  if (sql.known.get(id) !== undefined) return false;
  const name = replaces?.name ?? null;
  const rows = sql.waitingAs.all({ topic, name, now: nowMs }) as unknown as readonly NamedRow[];
  const { startMs, sinceMs, instead } = standingOf(message, rows.map(waitingOf), nowMs);
  for (const { seq, bytes } of rows) {
    sql.replaced.run(seq);
    totals.queued -= 1;
    totals.queued_bytes -= bytes;
    totals.remembered += 1;
  }
  sql.insertReplacing.run(
    ...[instead?.seq ?? null, id, topic, key, headersText(message), body, sizeOf(message)],
    ...[instead?.acceptedMs ?? nowMs, startMs === 0 ? QUEUED : SCHEDULED, startMs],
    ...[priorityOf(message), expiryOf(lifetimeMs, Math.max(nowMs, startMs)), name, sinceMs],
  );
  return true;
}

interface NamedRow {
  readonly seq: number;
  readonly bytes: number;
  readonly accepted_ms: number;
  readonly start_ms: number;
  readonly since_ms: number;
}

function waitingOf({ seq, accepted_ms, start_ms, since_ms }: NamedRow): Waiting {
  return { seq, startMs: start_ms, acceptedMs: accepted_ms, sinceMs: since_ms };
}

function expiryOf(lifetimeMs: number | undefined, dueMs: number): number | null {
  return lifetimeMs === undefined ? null : dueMs + lifetimeMs;
}
