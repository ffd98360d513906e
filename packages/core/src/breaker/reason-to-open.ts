import { type CallRatio, counted } from './call-ratio.ts';
import type { Circuit, Ending, Rules } from './circuit.ts';
import type { CircuitCounts } from './snapshot/snapshot.ts';
import type { RatioWindow } from './window/ratio-window.ts';

/** Why a closed circuit must open after a call that failed or was slow, in words; undefined: it need not. */
export function reasonToOpen(
  circuit: Circuit,
  { verdict, slow }: Ending,
  nowMs: number,
  rules: Rules,
): string | undefined {
  const { counts, windows } = circuit;
  const { consecutiveFailures, failureRatio, slowCalls, trip } = rules;
  if (verdict === 'failure') {
    if (consecutiveFailures !== false && counts.consecutiveFailures >= consecutiveFailures) {
      return inARow(counts.consecutiveFailures, 'failure');
    }
    const failed = exceeds(failureRatio, windows?.failures, nowMs);
    if (failed !== undefined) return `${failed} failed`;
  }
  if (slow && slowCalls !== undefined) {
    const took = exceeds(slowCalls, windows?.slow, nowMs);
    if (took !== undefined) return `${took} took ${slowCalls.slowCallMs} ms or longer`;
  }
  if (verdict !== 'failure' || trip === undefined || !agrees(trip, counts)) return undefined;
  return `its trip rule holds after ${counts.totalFailures} failures of ${counts.requests} calls`;
}

export const inARow = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's in a row'}`;

function exceeds(
  rule: CallRatio | undefined,
  window: RatioWindow | undefined,
  nowMs: number,
): string | undefined {
  if (rule === undefined || window === undefined) return undefined;
  const { calls, bad } = window.total(nowMs);
  const holds = calls >= rule.minimumCalls && bad >= rule.ratio * calls;
  return holds ? counted(bad, calls, rule) : undefined;
}

function agrees(trip: (counts: CircuitCounts) => boolean, counts: CircuitCounts): boolean {
  try {
    return trip({ ...counts }) === true;
  } catch {
    // A rule that cannot be evaluated must not stop all calls: as in Dapr, it says no.
    return false;
  }
}
