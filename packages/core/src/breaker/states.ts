import type { ForcedState } from '../engine/stage.ts';
import {
  type Circuit,
  type Counts,
  clearAt,
  closedCircuit,
  countSuccess,
  type Ending,
  type Rules,
  type Verdict,
} from './circuit.ts';
import { inARow, reasonToOpen } from './reason-to-open.ts';
import {
  beginGeneration,
  beginObserving,
  change,
  close,
  endObserving,
  halfOpen,
  open,
  rest,
} from './transitions.ts';

/**
 * The circuit breaker's state machine, free of clocks, promises and events.
 *
 *               failures                 openMs over
 *     closed ────────────▶ open ◀───┐  (at the next call)
 *       ▲                   │       │
 *       │                   ▼       │ a failure, or probes
 *       └─────────────── half-open ─┘ that do not answer
 *        enough successes
 *
 *     forced-open ──expires──▶ half-open      forced-closed, disabled ──expire──▶ closed
 *     observe ──expires──▶ what it has watched itself be
 *
 * Each transition begins a new generation. A call reports back with the one
 * that admitted it, so a late success cannot close the circuit, nor a late
 * failure open it. While closed, a generation also ends every `clearIntervalMs`.
 */
export function newCircuit(nowMs: number, rules: Rules): Circuit {
  const circuit = closedCircuit(nowMs, rules);
  if (!rules.observe) return circuit;
  circuit.kind = 'observe';
  circuit.untilMs = Infinity;
  circuit.shadow = closedCircuit(nowMs, rules);
  return circuit;
}

/** Whether a call may go on, and if not whether the circuit is open or busy with its probes. */
export function admit(circuit: Circuit, nowMs: number, rules: Rules): 'yes' | 'open' | 'busy' {
  moveOn(circuit, nowMs, rules);
  switch (circuit.kind) {
    case 'disabled':
    case 'observe':
      return 'yes';
    case 'closed':
    case 'forced-closed':
      circuit.counts.requests += 1;
      return 'yes';
    case 'half-open':
      if (!hasPermit(circuit, rules)) return 'busy';
      circuit.counts.requests += 1;
      circuit.probes += 1;
      circuit.untilMs = nowMs + rules.halfOpenMaxMs;
      return 'yes';
    case 'open':
    case 'forced-open':
      return 'open';
  }
}

/** Takes note of how a call ended that was admitted in `generation`. */
export function settle(
  circuit: Circuit,
  generation: number,
  ending: Ending,
  nowMs: number,
  rules: Rules,
): void {
  moveOn(circuit, nowMs, rules);
  if (generation !== circuit.generation) return;
  switch (circuit.kind) {
    case 'closed':
      settleClosed(circuit, ending, nowMs, rules);
      return;
    case 'half-open':
      settleProbe(circuit, ending, nowMs, rules);
      return;
    case 'forced-closed':
      count(circuit.counts, ending.verdict);
      return;
    case 'disabled':
    case 'observe':
      return;
    case 'open':
    case 'forced-open':
      throw new Error('unreachable: an open circuit has admitted no call of its generation');
  }
}

/** Makes the transitions that time alone brings about. */
export function moveOn(circuit: Circuit, nowMs: number, rules: Rules): void {
  if (nowMs < circuit.untilMs) return;
  switch (circuit.kind) {
    case 'closed':
      beginGeneration(circuit, clearAt(nowMs, rules));
      return;
    case 'open':
      halfOpen(circuit, nowMs, rules, `it has been open for ${Math.round(circuit.openForMs)} ms`);
      return;
    case 'half-open':
      if (hasPermit(circuit, rules)) return;
      // As if somebody had looked when it happened: it may be time for a new probe by now.
      open(circuit, circuit.untilMs, rules, {
        why: `no probe answered within ${rules.halfOpenMaxMs} ms`,
        error: circuit.error,
      });
      moveOn(circuit, nowMs, rules);
      return;
    case 'forced-open':
      if (rules.observe) rest(circuit, nowMs, rules, EXPIRED);
      else halfOpen(circuit, nowMs, rules, EXPIRED);
      return;
    case 'observe':
      if (rules.observe) circuit.untilMs = Infinity;
      else endObserving(circuit, EXPIRED);
      return;
    case 'forced-closed':
    case 'disabled':
      rest(circuit, nowMs, rules, EXPIRED);
  }
}

/** Puts it into a state by hand, until `untilMs`; `closed` lifts a force and closes it. */
export function force(
  circuit: Circuit,
  as: ForcedState | 'closed',
  nowMs: number,
  untilMs: number,
  rules: Rules,
): void {
  const why = `forced by hand for ${untilMs - nowMs} ms`;
  if (as === 'closed') {
    rest(circuit, nowMs, rules, 'closed by hand');
  } else if (as === 'observe') {
    beginObserving(circuit, nowMs, untilMs, rules, why);
  } else {
    change(circuit, as, why);
    beginGeneration(circuit, untilMs);
  }
}

const EXPIRED = 'the force has expired';

function settleClosed(circuit: Circuit, ending: Ending, nowMs: number, rules: Rules): void {
  const { verdict, slow, error, hintMs } = ending;
  count(circuit.counts, verdict);
  if (verdict === 'unknown') return;
  circuit.windows?.failures?.record(verdict === 'failure', nowMs);
  circuit.windows?.slow?.record(slow, nowMs);
  if (verdict !== 'failure' && !slow) return;
  const why = reasonToOpen(circuit, ending, nowMs, rules);
  if (why !== undefined) open(circuit, nowMs, rules, { why, error, hintMs });
}

function settleProbe(circuit: Circuit, ending: Ending, nowMs: number, rules: Rules): void {
  const { verdict, slow, error, hintMs } = ending;
  circuit.probes -= 1;
  circuit.untilMs = nowMs + rules.halfOpenMaxMs;
  count(circuit.counts, verdict);
  const { consecutiveSuccesses } = circuit.counts;
  if (verdict === 'failure') {
    open(circuit, nowMs, rules, { why: 'a probe failed', error, hintMs });
  } else if (verdict === 'success' && slow) {
    const why = `a probe took ${rules.slowCalls?.slowCallMs} ms or longer`;
    open(circuit, nowMs, rules, { why, error: circuit.error });
  } else if (consecutiveSuccesses >= rules.successThreshold) {
    close(circuit, nowMs, rules, inARow(consecutiveSuccesses, 'good probe'));
  }
}

/** No more probes at a time than permits, and no more in all than it takes to close. */
function hasPermit({ probes, counts }: Circuit, rules: Rules): boolean {
  const enough = Math.max(rules.halfOpenPermits, rules.successThreshold);
  return probes < rules.halfOpenPermits && probes + counts.consecutiveSuccesses < enough;
}

function count(counts: Counts, verdict: Verdict): void {
  switch (verdict) {
    case 'success':
      countSuccess(counts);
      return;
    case 'failure':
      counts.totalFailures += 1;
      counts.consecutiveFailures += 1;
      counts.consecutiveSuccesses = 0;
      return;
    case 'unknown':
      // It says nothing, so it is as if it had never been admitted.
      counts.requests -= 1;
  }
}
