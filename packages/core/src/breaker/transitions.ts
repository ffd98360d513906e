import type { CircuitState } from '../events.ts';
import { type Circuit, clearAt, closedCircuit, noCounts, type Rules } from './circuit.ts';
import { openTimeMs } from './open-time.ts';

/** Opens it at `nowMs`, for as long as the rules and the dependency's own hint say. */
export function open(
  circuit: Circuit,
  nowMs: number,
  rules: Rules,
  { why, error, hintMs = 0 }: { why: string; error: unknown; hintMs?: number },
): void {
  const wasWell = circuit.kind === 'closed' && nowMs - circuit.closedMs >= rules.openResetMs;
  if (wasWell) circuit.openings = 0;
  // A probe that fails opens it again, for the old reason.
  if (circuit.kind === 'closed') circuit.trippedBy = circuit.counts;
  const opening = { before: circuit.openings, chance: circuit.chance, hintMs };
  circuit.openForMs = openTimeMs(opening, rules);
  circuit.openings += 1;
  circuit.opened += 1;
  circuit.error = error;
  change(circuit, 'open', why, error);
  beginGeneration(circuit, nowMs + circuit.openForMs);
}

/** Opens it because others found the dependency failing; its own failures have no part in that. */
export function openFor(circuit: Circuit, nowMs: number, forMs: number, why: string): void {
  circuit.openForMs = forMs;
  circuit.opened += 1;
  circuit.trippedBy = circuit.counts;
  circuit.error = undefined;
  change(circuit, 'open', why);
  beginGeneration(circuit, nowMs + forMs);
}

export function halfOpen(circuit: Circuit, nowMs: number, rules: Rules, why: string): void {
  change(circuit, 'half-open', why);
  beginGeneration(circuit, nowMs + rules.halfOpenMaxMs);
}

export function close(circuit: Circuit, nowMs: number, rules: Rules, why: string): void {
  circuit.error = undefined;
  circuit.trippedBy = undefined;
  circuit.closedMs = nowMs;
  circuit.windows?.failures?.clear();
  circuit.windows?.slow?.clear();
  change(circuit, 'closed', why);
  beginGeneration(circuit, clearAt(nowMs, rules));
}

/** Puts it where it is when nothing has happened: closed, or observing. */
export function rest(circuit: Circuit, nowMs: number, rules: Rules, why: string): void {
  if (!rules.observe) {
    close(circuit, nowMs, rules, why);
    return;
  }
  change(circuit, 'observe', why);
  beginGeneration(circuit, Infinity);
  circuit.shadow = closedCircuit(nowMs, rules);
}

/** From here on it does nothing until `untilMs` but watch what it would do. */
export function beginObserving(
  circuit: Circuit,
  nowMs: number,
  untilMs: number,
  rules: Rules,
  why: string,
): void {
  const { kind, shadow: old } = circuit;
  const isOwn = kind === 'closed' || kind === 'open' || kind === 'half-open';
  const own = isOwn ? { ...circuit, news: undefined } : closedCircuit(nowMs, rules);
  change(circuit, 'observe', why);
  beginGeneration(circuit, untilMs);
  circuit.shadow = old ?? own;
}

/** Does from here on what it has so far only watched. */
export function endObserving(circuit: Circuit, why: string): void {
  const { shadow, generation, news, kind } = circuit;
  // A force has put it elsewhere, for ever.
  if (shadow === undefined) return;
  Object.assign(circuit, shadow, { generation: generation + 1, kind, news, probes: 0 });
  change(circuit, shadow.kind, why, shadow.error);
}

export function change(circuit: Circuit, to: CircuitState, why: string, error?: unknown): void {
  const from = circuit.kind;
  if (from === to) return;
  circuit.kind = to;
  circuit.why = why;
  circuit.news ??= [];
  circuit.news.push(error === undefined ? { from, to, why } : { from, to, why, error });
}

export function beginGeneration(circuit: Circuit, untilMs: number): void {
  circuit.generation += 1;
  circuit.untilMs = untilMs;
  circuit.counts = noCounts();
  circuit.probes = 0;
  circuit.shadow = undefined;
}
