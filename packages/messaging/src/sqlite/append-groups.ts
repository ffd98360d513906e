import type { AppendGroup, AppendResult, StoreLimits } from '../store.ts';
import { sizeOf } from '../store.ts';
import { insertMessages } from './insert-messages.ts';
import type { Statements, Totals } from './statements.ts';

/**
 * Keeps each group whole, or nothing of it where it does not fit; changes `totals` by what was kept.
 * Where there is room for all, as there mostly is, all are inserted as one.
 */
export function appendGroups(
  sql: Statements,
  totals: Totals,
  groups: readonly AppendGroup[],
  limits: StoreLimits,
  nowMs: number,
): readonly AppendResult[] {
  const all = groups.length === 1 ? groups[0]! : groups.flat();
  if (isTight(totals, all, limits)) {
    return groups.map((group) => appendGroup(sql, totals, group, limits, nowMs));
  }
  const duplicates = insertMessages(sql, totals, all, nowMs);
  let from = 0;
  return groups.map(({ length }) => {
    from += length;
    return { kind: 'kept', duplicates: duplicates.slice(from - length, from) };
  });
}

function appendGroup(
  sql: Statements,
  totals: Totals,
  group: AppendGroup,
  limits: StoreLimits,
  nowMs: number,
): AppendResult {
  // A known id takes no room: a client that tries again gets its answer even when the queue is full.
  if (isTight(totals, group, limits) && group.some(({ id }) => sql.known.get(id) === undefined)) {
    return { kind: 'full', queued: totals.queued, queuedBytes: totals.queued_bytes };
  }
  return { kind: 'kept', duplicates: insertMessages(sql, totals, group, nowMs) };
}

/** Whether there may be no room for them, if all of them are new. */
function isTight(totals: Totals, messages: AppendGroup, limits: StoreLimits): boolean {
  let bytes = totals.queued_bytes;
  for (const message of messages) bytes += sizeOf(message);
  return totals.queued + messages.length > limits.maxMessages || bytes > limits.maxBytes;
}
