import type { NodeReport, Quorum, SharedVerdict } from './circuit-store.ts';

/**
 * Most nodes of one circuit that are kept; a report of one more is answered, and
 * not kept. The same in the script for Redis.
 */
export const NODE_LIMIT = 1_000;

/** What a store keeps of one circuit. The script for Redis does the same to a hash. */
export interface SharedRecord {
  era: number;
  open: boolean;
  /** While open: from when on it may be probed. */
  untilMs: number;
  /** Who probes, and until when nobody else may. */
  prober: string | undefined;
  probeUntilMs: number;
  /** Whose probe failed last: others go first now, or one bad node would keep it open for all. */
  loser: string | undefined;
  readonly nodes: Map<string, { failing: boolean; untilMs: number }>;
}

export const newRecord = (nowMs: number): SharedRecord => ({
  // An era must not come again after the store has forgotten it.
  era: Math.max(1, Math.floor(nowMs)),
  open: false,
  untilMs: 0,
  prober: undefined,
  probeUntilMs: 0,
  loser: undefined,
  nodes: new Map(),
});

/** Takes note of a report and says what all nodes find. */
export function exchange(record: SharedRecord, report: NodeReport, nowMs: number): SharedVerdict {
  forgetTheDead(record, nowMs);
  const isOfThisEra = report.era === record.era;
  if (isOfThisEra && report.probed !== undefined) endProbing(record, report, nowMs);
  // It may have closed just now, and what was found before is void.
  const failing = report.failing && report.era === record.era;
  if (record.nodes.has(report.node) || record.nodes.size < NODE_LIMIT) {
    record.nodes.set(report.node, { failing, untilMs: nowMs + report.leaseMs });
  }
  const found = tally(record);
  if (!record.open && isQuorum(found, report.quorum)) {
    record.open = true;
    record.untilMs = nowMs + report.openMs;
  }
  return {
    era: record.era,
    state: record.open ? 'open' : 'closed',
    retryAfterMs: record.open ? Math.max(0, record.untilMs - nowMs) : 0,
    ...found,
    mayProbe: grantProbe(record, report, nowMs),
  };
}

/** Whether so many are enough to open everybody's circuit. */
const isQuorum = (found: { nodes: number; failing: number }, { nodes, ratio }: Quorum) =>
  found.failing >= nodes && found.failing >= ratio * found.nodes;

function forgetTheDead({ nodes }: SharedRecord, nowMs: number): void {
  for (const [name, { untilMs }] of nodes) {
    if (untilMs <= nowMs) nodes.delete(name);
  }
}

function endProbing(record: SharedRecord, { node, openMs, probed }: NodeReport, nowMs: number) {
  if (!record.open || record.prober !== node) return;
  record.prober = undefined;
  if (probed === 'failing') {
    record.loser = node;
    record.untilMs = nowMs + openMs;
    return;
  }
  record.open = false;
  record.loser = undefined;
  record.era = Math.max(record.era + 1, Math.floor(nowMs));
  for (const each of record.nodes.values()) each.failing = false;
}

function tally({ nodes }: SharedRecord) {
  let failing = 0;
  for (const each of nodes.values()) if (each.failing) failing += 1;
  return { nodes: nodes.size, failing };
}

function grantProbe(
  record: SharedRecord,
  { leaseMs, node, probeMs }: NodeReport,
  nowMs: number,
): boolean {
  if (!record.open || probeMs === 0 || nowMs < record.untilMs) return false;
  const isTaken = record.prober !== undefined && nowMs < record.probeUntilMs;
  if (isTaken && record.prober !== node) return false;
  const hasOthers = record.nodes.size > 1 && nowMs < record.untilMs + leaseMs;
  if (record.loser === node && hasOthers) return false;
  record.prober = node;
  record.probeUntilMs = nowMs + probeMs;
  return true;
}
