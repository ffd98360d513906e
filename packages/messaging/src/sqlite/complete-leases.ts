import type { Lease, LeaseResult } from '../store.ts';
import type { Statements, Totals } from './statements.ts';

/** Marks as delivered what is still held, with what is kept of it, and says how many those are. */
export function completeLeases(
  sql: Statements,
  totals: Totals,
  leases: readonly Lease[],
  results: readonly LeaseResult[],
  now: number,
): number {
  for (const { lease, text, keptMs } of results) {
    sql.keepResult.run({ seq: lease.seq, token: lease.token, now, text, until: now + keptMs });
  }
  // As many again as come, so that they become fewer: nobody else clears them away.
  if (results.length > 0) sql.dropResults.run({ now, limit: 2 * results.length });
  let done = 0;
  // All of one lease with one statement.
  for (const [token, its] of Map.groupBy(leases, (lease) => lease.token)) {
    const seqs = JSON.stringify(its.map(({ seq }) => seq));
    for (const { bytes } of sql.complete.all({ seqs, token, now })) {
      totals.queued_bytes -= Number(bytes);
      done += 1;
    }
  }
  totals.queued -= done;
  totals.successful += done;
  totals.remembered += done;
  return done;
}
