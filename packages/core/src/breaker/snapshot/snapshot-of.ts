import type { OwnCircuitState } from '../../events.ts';
import type { Circuit, Rules } from '../circuit.ts';
import type { CircuitSnapshot } from './snapshot.ts';

/** A circuit as it is shown, at a moment at which it has just been looked at. */
export function snapshotOf(circuit: Circuit, nowMs: number, rules: Rules): CircuitSnapshot {
  const { kind, shadow, untilMs } = circuit;
  const own = shadow ?? circuit;
  const { counts, opened, openings, trippedBy, why } = own;
  const leftMs = Math.ceil(untilMs - nowMs);
  const isOpen = kind === 'open' || kind === 'forced-open';
  const isForced = kind !== 'open' && kind !== 'half-open' && kind !== 'closed';
  const wasTripped = own.kind === 'open' || own.kind === 'half-open';
  return {
    state: kind,
    ...(shadow === undefined ? undefined : { observed: shadow.kind as OwnCircuitState }),
    counts: { ...counts },
    ...(trippedBy !== undefined && wasTripped ? { trippedBy } : undefined),
    retryAfterMs: isOpen ? leftMs : 0,
    ...(isForced && leftMs < Infinity ? { expiresInMs: leftMs } : undefined),
    opened,
    ...(openings > 0 && rules.openFactor > 1 ? { openings } : undefined),
    why,
  };
}
