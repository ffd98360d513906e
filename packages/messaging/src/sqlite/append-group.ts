import {
  type AppendGroup,
  type AppendResult,
  priorityOf,
  type StoreLimits,
  sizeOf,
} from '../store.ts';
import { headersText } from './rows.ts';
import { QUEUED, SCHEDULED } from './schema.ts';
import type { Statements, Totals } from './statements.ts';

/** Keeps a group whole, or nothing of it where it does not fit; changes `totals` by what it kept. */
export function appendGroup(
  sql: Statements,
  totals: Totals,
  group: AppendGroup,
  limits: StoreLimits,
  nowMs: number,
): AppendResult {
  let bytes = 0;
  for (const message of group) bytes += sizeOf(message);
  const tight =
    totals.queued + group.length > limits.maxMessages ||
    totals.queued_bytes + bytes > limits.maxBytes;
  // A known id takes no room: a client that tries again gets its answer even when the queue is full.
  if (tight && group.some(({ id }) => sql.known.get(id) === undefined)) {
    return { kind: 'full', queued: totals.queued, queuedBytes: totals.queued_bytes };
  }
  const duplicates = group.map((message) => {
    const size = sizeOf(message);
    const { id, topic, key = null, body, delayMs = 0 } = message;
    const state = delayMs > 0 ? SCHEDULED : QUEUED;
    const startMs = delayMs > 0 ? nowMs + delayMs : 0;
    const headers = headersText(message);
    const priority = priorityOf(message);
    const { changes } = sql.insert.run(
      id,
      topic,
      key,
      headers,
      body,
      size,
      nowMs,
      state,
      startMs,
      priority,
    );
    if (changes === 0) return true;
    totals.queued += 1;
    totals.queued_bytes += size;
    return false;
  });
  return { kind: 'kept', duplicates };
}
