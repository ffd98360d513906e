import { QUEUED, SCHEDULED } from '../kept-states.ts';
import { type AppendGroup, type AppendMessage, priorityOf, sizeOf } from '../store.ts';
import { insertReplacing } from './insert-replacing.ts';
import { headersText } from './rows.ts';
import { INSERT_LOT, type Statements, type Totals } from './statements.ts';

/**
 * Inserts those whose ids are not known, and says of each whether its id was. Ten with one statement cost
 * a little more than half of ten statements: each costs a microsecond or two on its way into SQLite.
 */
export function insertMessages(
  sql: Statements,
  totals: Totals,
  messages: AppendGroup,
  nowMs: number,
): readonly boolean[] {
  if (messages.some(({ replaces }) => replaces !== undefined)) {
    return messages.map((message) => !insertOne(sql, totals, message, nowMs));
  }
  const duplicates: boolean[] = [];
  let at = 0;
  for (; at + INSERT_LOT <= messages.length; at += INSERT_LOT) {
    insertLot(sql, totals, messages.slice(at, at + INSERT_LOT), nowMs, duplicates);
  }
  for (; at < messages.length; at += 1) {
    duplicates.push(!insertOne(sql, totals, messages[at]!, nowMs));
  }
  return duplicates;
}

/** False where its id was known. */
function insertOne(
  sql: Statements,
  totals: Totals,
  message: AppendMessage,
  nowMs: number,
): boolean {
  const isNew =
    message.replaces === undefined
      ? insertPlain(sql, message, nowMs)
      : insertReplacing(sql, totals, message, nowMs);
  if (isNew) count(totals, message);
  return isNew;
}

function insertPlain(sql: Statements, message: AppendMessage, nowMs: number): boolean {
  const values: Value[] = [];
  addRow(values, message, nowMs);
  return sql.insert.run(...values).changes === 1;
}

function insertLot(
  sql: Statements,
  totals: Totals,
  lot: AppendGroup,
  nowMs: number,
  duplicates: boolean[],
): void {
  const values: Value[] = [];
  for (const message of lot) addRow(values, message, nowMs);
  const { changes, lastInsertRowid } = sql.insertLot.run(...values);
  const added = Number(changes);
  // The new ones are at the end of the table, one after another.
  const fresh =
    added === lot.length ? undefined : idsAfter(sql, added, Number(lastInsertRowid) - added);
  for (const message of lot) {
    // The first of an id in this lot is the one that was kept.
    const isNew = fresh?.delete(message.id) ?? true;
    if (isNew) count(totals, message);
    duplicates.push(!isNew);
  }
}

function idsAfter(sql: Statements, added: number, seq: number): Set<string> {
  if (added === 0) return new Set();
  return new Set(sql.idsAfter.all(seq).map(({ id }) => String(id)));
}

type Value = string | number | Uint8Array | null;

/** In the order of the statements. */
function addRow(values: Value[], message: AppendMessage, nowMs: number): void {
  const { id, topic, key = null, body, delayMs = 0, lifetimeMs } = message;
  values.push(id, topic, key, headersText(message), body, sizeOf(message), nowMs);
  if (delayMs > 0) values.push(SCHEDULED, nowMs + delayMs, priorityOf(message));
  else values.push(QUEUED, 0, priorityOf(message));
  values.push(lifetimeMs === undefined ? null : nowMs + delayMs + lifetimeMs);
}

function count(totals: Totals, message: AppendMessage): void {
  totals.queued += 1;
  totals.queued_bytes += sizeOf(message);
}
