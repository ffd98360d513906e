import type { StoreStats } from '../store.ts';
import { pausedOf } from './rows.ts';
import type { Statements, Totals } from './statements.ts';

export function readStats(sql: Statements, nowMs: number): StoreStats {
  const totals = sql.totals.get() as unknown as Totals;
  const oldest = sql.oldest.get() as { accepted_ms: number } | undefined;
  const started = sql.startedFirst.get() as { start_ms: number } | undefined;
  const dueSinceMs = Math.min(oldest?.accepted_ms ?? nowMs, started?.start_ms ?? nowMs);
  return {
    queued: totals.queued,
    queuedBytes: totals.queued_bytes,
    successful: totals.successful,
    dead: totals.dead,
    oldestMs: Math.max(0, nowMs - dueSinceMs),
    paused: sql.paused.all({ now: nowMs }).map((row) => pausedOf(row, nowMs)),
  };
}
