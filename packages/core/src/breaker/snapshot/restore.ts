import type { CircuitState } from '../../events.ts';
import type { Circuit, Rules } from '../circuit.ts';
import { newCircuit } from '../states.ts';
import type { CircuitSnapshot } from './snapshot.ts';

/**
 * A circuit that goes on from `initial`, which `inspect` said of it in an
 * earlier life. The calls that were in flight then are not waited for, and the
 * time between the two lives does not count. One that was forced to observe
 * goes on as what it observed.
 */
export function restoredCircuit(nowMs: number, rules: Rules, initial: CircuitSnapshot): Circuit {
  const circuit = newCircuit(nowMs, rules);
  const { observed = 'closed', state } = initial;
  if (circuit.shadow !== undefined) {
    const isOwn = state === 'closed' || state === 'open' || state === 'half-open';
    putBack(circuit.shadow, isOwn ? state : observed, nowMs, rules, initial);
    return circuit;
  }
  putBack(circuit, state === 'observe' ? observed : state, nowMs, rules, initial);
  const { kind, why } = circuit;
  if (kind !== 'closed') circuit.news = [{ from: 'closed', to: kind, why }];
  return circuit;
}

function putBack(
  circuit: Circuit,
  kind: CircuitState,
  nowMs: number,
  rules: Rules,
  { counts, expiresInMs = 0, opened, openings = 0, retryAfterMs, trippedBy, why }: CircuitSnapshot,
): void {
  circuit.kind = kind;
  circuit.counts = { ...counts, requests: counts.totalSuccesses + counts.totalFailures };
  circuit.opened = opened;
  circuit.openings = openings;
  circuit.trippedBy = trippedBy;
  circuit.why = why;
  switch (kind) {
    case 'closed':
    case 'observe':
      return;
    case 'open':
      circuit.openForMs = Math.min(retryAfterMs, rules.openMaxMs);
      circuit.untilMs = nowMs + circuit.openForMs;
      return;
    case 'half-open':
      circuit.untilMs = nowMs + rules.halfOpenMaxMs;
      return;
    case 'forced-open':
    case 'forced-closed':
    case 'disabled':
      circuit.untilMs = nowMs + expiresInMs;
  }
}
