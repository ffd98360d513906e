import type { CircuitState } from '../events.ts';
import type { ResolvedCircuitBreakerOptions } from './options.ts';
import type { CircuitCounts } from './snapshot.ts';
import { RatioWindow } from './window.ts';

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
 *
 * Each transition begins a new generation. A call reports back with the one
 * that admitted it, so a late success cannot close the circuit, nor a late
 * failure open it. While closed, a generation also ends every `clearIntervalMs`.
 *
 * The record is changed in place, because a new one per call would cost more
 * than the rest of the call; the outcome still depends on the arguments alone.
 */
export interface Circuit {
  kind: CircuitState;
  generation: number;
  /** Of this generation. */
  counts: Counts;
  /** Calls of this generation that have not ended. Kept while half-open. */
  probes: number;
  /**
   * When it moves on by itself, at the next look: closed, to a new generation;
   * open, to half-open; half-open, back to open if its probes do not answer;
   * forced, to where it expires.
   */
  untilMs: number;
  /** How often it has opened. */
  opened: number;
  /** Why it last changed. */
  why: string;
  /** What it had counted when it opened; kept until it closes. */
  trippedBy: CircuitCounts | undefined;
  /** The failure that last opened it. */
  error: unknown;
  window: RatioWindow | undefined;
  /** Transitions that nobody has heard of yet. */
  news: Transition[] | undefined;
}

type Counts = { -readonly [Name in keyof CircuitCounts]: number };

export interface Transition {
  readonly from: CircuitState;
  readonly to: CircuitState;
  readonly why: string;
  readonly error?: unknown;
}

/** How a call ended for the circuit; `unknown` says nothing of the dependency: cancelled, ignored, not sent. */
export type Verdict = 'success' | 'failure' | 'unknown';

export type Rules = ResolvedCircuitBreakerOptions;

export type ForcedKind = Extract<CircuitState, 'forced-open' | 'forced-closed' | 'disabled'>;

export function newCircuit(nowMs: number, rules: Rules): Circuit {
  return {
    kind: 'closed',
    generation: 0,
    counts: noCounts(),
    probes: 0,
    untilMs: clearAt(nowMs, rules),
    opened: 0,
    trippedBy: undefined,
    why: '',
    error: undefined,
    window: newWindow(rules),
    news: undefined,
  };
}

/**
 * Whether it is closed and no rule looks at the time. It then admits every call
 * and a success is but counted: the stage does both by itself, without reading
 * the clock, which costs as much as a bare `await`.
 */
export const isTimeless = ({ untilMs, window }: Circuit): boolean =>
  untilMs === Infinity && window === undefined;

/** Whether a call may go on, and if not whether the circuit is open or busy with its probes. */
export function admit(circuit: Circuit, nowMs: number, rules: Rules): 'yes' | 'open' | 'busy' {
  moveOn(circuit, nowMs, rules);
  switch (circuit.kind) {
    case 'disabled':
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
  verdict: Verdict,
  nowMs: number,
  rules: Rules,
  error?: unknown,
): void {
  moveOn(circuit, nowMs, rules);
  if (generation !== circuit.generation) return;
  switch (circuit.kind) {
    case 'closed':
      count(circuit, verdict);
      if (verdict === 'unknown') return;
      circuit.window?.record(verdict === 'failure', nowMs);
      if (verdict === 'failure') {
        const why = reasonToOpen(circuit, nowMs, rules);
        if (why !== undefined) open(circuit, nowMs + rules.openMs, why, error);
      }
      return;
    case 'half-open':
      circuit.probes -= 1;
      circuit.untilMs = nowMs + rules.halfOpenMaxMs;
      count(circuit, verdict);
      if (verdict === 'failure') {
        open(circuit, nowMs + rules.openMs, 'a probe failed', error);
      } else if (circuit.counts.consecutiveSuccesses >= rules.successThreshold) {
        close(
          circuit,
          nowMs,
          rules,
          `${inARow(circuit.counts.consecutiveSuccesses, 'good probe')}`,
        );
      }
      return;
    case 'forced-closed':
      count(circuit, verdict);
      return;
    case 'disabled':
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
      halfOpen(circuit, nowMs, rules, `it has been open for ${rules.openMs} ms`);
      return;
    case 'half-open':
      if (hasPermit(circuit, rules)) return;
      // As if somebody had looked when it happened: it may be time for a new probe by now.
      open(
        circuit,
        circuit.untilMs + rules.openMs,
        `no probe answered within ${rules.halfOpenMaxMs} ms`,
        circuit.error,
      );
      moveOn(circuit, nowMs, rules);
      return;
    case 'forced-open':
      halfOpen(circuit, nowMs, rules, 'the force has expired');
      return;
    case 'forced-closed':
    case 'disabled':
      close(circuit, nowMs, rules, 'the force has expired');
  }
}

/** Puts it into a state by hand, until `untilMs`; `closed` lifts a force and closes it. */
export function force(
  circuit: Circuit,
  as: ForcedKind | 'closed',
  nowMs: number,
  untilMs: number,
  rules: Rules,
): void {
  if (as === 'closed') {
    close(circuit, nowMs, rules, 'closed by hand');
  } else {
    change(circuit, as, `forced by hand for ${untilMs - nowMs} ms`, undefined);
    beginGeneration(circuit, untilMs);
  }
}

/** Its rules have changed: what no longer fits them is set up anew, the state stays. */
export function applyRules(circuit: Circuit, nowMs: number, old: Rules, rules: Rules): void {
  if (circuit.kind === 'closed' && old.clearIntervalMs !== rules.clearIntervalMs) {
    circuit.untilMs = clearAt(nowMs, rules);
  }
  if (circuit.kind === 'open') circuit.untilMs += rules.openMs - old.openMs;
  if (old.failureRatio?.windowMs !== rules.failureRatio?.windowMs)
    circuit.window = newWindow(rules);
}

export const countsOf = (circuit: Circuit): CircuitCounts => ({ ...circuit.counts });

const noCounts = (): Counts => ({
  requests: 0,
  totalSuccesses: 0,
  totalFailures: 0,
  consecutiveSuccesses: 0,
  consecutiveFailures: 0,
});

/** No more probes at a time than permits, and no more in all than it takes to close. */
function hasPermit({ probes, counts }: Circuit, rules: Rules): boolean {
  const enough = Math.max(rules.halfOpenPermits, rules.successThreshold);
  return probes < rules.halfOpenPermits && probes + counts.consecutiveSuccesses < enough;
}

function count({ counts }: Circuit, verdict: Verdict): void {
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

export function countSuccess(counts: Counts): void {
  counts.totalSuccesses += 1;
  counts.consecutiveSuccesses += 1;
  counts.consecutiveFailures = 0;
}

function reasonToOpen(circuit: Circuit, nowMs: number, rules: Rules): string | undefined {
  const { consecutiveFailures, failureRatio, trip } = rules;
  if (consecutiveFailures !== false && circuit.counts.consecutiveFailures >= consecutiveFailures) {
    return inARow(circuit.counts.consecutiveFailures, 'failure');
  }
  if (failureRatio !== undefined && circuit.window !== undefined) {
    const { calls, failures } = circuit.window.total(nowMs);
    if (calls >= failureRatio.minimumCalls && failures >= failureRatio.ratio * calls) {
      return `${failures} of ${calls} calls within ${failureRatio.windowMs} ms failed`;
    }
  }
  if (trip === undefined || !agrees(trip, circuit)) return undefined;
  return `its trip rule holds after ${circuit.counts.totalFailures} failures of ${circuit.counts.requests} calls`;
}

function agrees(trip: (counts: CircuitCounts) => boolean, circuit: Circuit): boolean {
  try {
    return trip(countsOf(circuit)) === true;
  } catch {
    // A rule that cannot be evaluated must not stop all calls: as in Dapr, it says no.
    return false;
  }
}

function open(circuit: Circuit, untilMs: number, why: string, error: unknown): void {
  circuit.opened += 1;
  // A probe that fails opens it again, for the old reason.
  if (circuit.kind === 'closed') circuit.trippedBy = circuit.counts;
  circuit.error = error;
  change(circuit, 'open', why, error);
  beginGeneration(circuit, untilMs);
}

function halfOpen(circuit: Circuit, nowMs: number, rules: Rules, why: string): void {
  change(circuit, 'half-open', why, undefined);
  beginGeneration(circuit, nowMs + rules.halfOpenMaxMs);
}

function close(circuit: Circuit, nowMs: number, rules: Rules, why: string): void {
  circuit.error = undefined;
  circuit.trippedBy = undefined;
  circuit.window?.clear();
  change(circuit, 'closed', why, undefined);
  beginGeneration(circuit, clearAt(nowMs, rules));
}

function change(circuit: Circuit, to: CircuitState, why: string, error: unknown): void {
  const from = circuit.kind;
  if (from === to) return;
  circuit.kind = to;
  circuit.why = why;
  circuit.news ??= [];
  circuit.news.push(error === undefined ? { from, to, why } : { from, to, why, error });
}

function beginGeneration(circuit: Circuit, untilMs: number): void {
  circuit.generation += 1;
  circuit.untilMs = untilMs;
  circuit.counts = noCounts();
  circuit.probes = 0;
}

const clearAt = (nowMs: number, rules: Rules) =>
  rules.clearIntervalMs === 0 ? Infinity : nowMs + rules.clearIntervalMs;

const newWindow = ({ failureRatio }: Rules) =>
  failureRatio === undefined ? undefined : new RatioWindow(failureRatio.windowMs);

const inARow = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's in a row'}`;
