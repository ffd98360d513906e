import type { Operation } from '../engine/operation.ts';
import type { Cut, Entry, ForcedState, Stage, StageWorld } from '../engine/stage.ts';
import { CircuitBusyError, CircuitOpenError } from '../errors.ts';
import type { Forecast } from '../explain/explain.ts';
import type { PolicySnapshot } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { forecastBreaker } from './forecast.ts';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
  type ResolvedCircuitBreakerOptions,
  resolveCircuitBreakerOptions,
} from './options.ts';
import {
  admit,
  applyRules,
  type Circuit,
  countSuccess,
  countsOf,
  force,
  isTimeless,
  moveOn,
  newCircuit,
  settle,
  type Verdict,
} from './states.ts';

/**
 * Stops calling a dependency that keeps failing, and probes it now and then
 * until it recovers. Needs no timer: it looks at the clock when it is called.
 */
export function circuitBreaker(
  given: CircuitBreakerOptions = {},
): Policy<ResolvedCircuitBreakerOptions> {
  const options = resolveCircuitBreakerOptions(given);
  const policy: Policy<ResolvedCircuitBreakerOptions> = {
    kind: 'circuitBreaker',
    name: options.name,
    options,
    stage: (world) => new BreakerStage(policy, world),
  };
  return policy;
}

class BreakerStage implements Stage {
  readonly policy: Policy<ResolvedCircuitBreakerOptions>;
  readonly #rules: ResolvedCircuitBreakerOptions;
  readonly #world: StageWorld;
  readonly #judgesResults: boolean;
  #circuit: Circuit;

  constructor(policy: Policy<ResolvedCircuitBreakerOptions>, world: StageWorld) {
    this.policy = policy;
    this.#rules = policy.options;
    this.#world = world;
    this.#circuit = newCircuit(world.clock.now(), policy.options);
    this.#judgesResults =
      policy.options.failureIfResult !== CIRCUIT_BREAKER_DEFAULTS.failureIfResult;
  }

  /** The generation that admitted the operation. */
  slot(): number {
    return 0;
  }

  enter(op: Operation, index: number): Entry {
    const circuit = this.#circuit;
    if (isTimeless(circuit)) {
      circuit.counts.requests += 1;
      op.slots[index] = circuit.generation;
      return undefined;
    }
    const nowMs = this.#world.clock.now();
    const admission = admit(circuit, nowMs, this.#rules);
    // Before anybody hears of it: a listener may force the circuit into another generation.
    op.slots[index] = circuit.generation;
    if (circuit.news !== undefined) this.#tell(op.id);
    return admission === 'yes' ? undefined : this.#refuse(op, admission, nowMs);
  }

  leave(op: Operation, index: number, value: unknown, failed: boolean): undefined {
    if (!failed && !this.#judgesResults) {
      const circuit = this.#circuit;
      if (!isTimeless(circuit)) this.#settle(op, index, 'success', undefined);
      else if (circuit.generation === op.slots[index]) countSuccess(circuit.counts);
      return undefined;
    }
    let verdict: Verdict = 'unknown';
    try {
      verdict = failed ? this.#judgeError(value) : this.#judgeResult(value);
    } finally {
      // Also when the caller's predicate throws: the permit must come back.
      this.#settle(op, index, verdict, failed ? value : undefined);
    }
    return undefined;
  }

  abandon(op: Operation, index: number, cut: Cut, error: unknown): void {
    let verdict: Verdict = 'unknown';
    try {
      if (cut === 'overdue') verdict = this.#judgeError(error);
    } catch {
      // The call ends with the time limit's error; the predicate's own has nobody to go to.
    }
    this.#settle(op, index, verdict, error);
  }

  adopt(old: Stage): void {
    if (!(old instanceof BreakerStage)) return;
    this.#circuit = old.#circuit;
    applyRules(this.#circuit, this.#world.clock.now(), old.#rules, this.#rules);
  }

  forecast(): Forecast {
    return forecastBreaker(this.#rules);
  }

  inspect(): Partial<PolicySnapshot> {
    const nowMs = this.#world.clock.now();
    const circuit = this.#circuit;
    moveOn(circuit, nowMs, this.#rules);
    this.#tell(NO_CALL);
    const { kind, opened, trippedBy, why } = circuit;
    const retryAfterMs = isOpen(circuit) ? Math.ceil(circuit.untilMs - nowMs) : 0;
    const snapshot = { state: kind, counts: countsOf(circuit), retryAfterMs, opened, why };
    const shown = trippedBy !== undefined && (kind === 'open' || kind === 'half-open');
    return { circuit: shown ? { ...snapshot, trippedBy } : snapshot };
  }

  force(as: ForcedState | 'closed', forMs: number): void {
    const nowMs = this.#world.clock.now();
    moveOn(this.#circuit, nowMs, this.#rules);
    force(this.#circuit, as, nowMs, nowMs + forMs, this.#rules);
    this.#tell(NO_CALL);
  }

  #judgeError(error: unknown): Verdict {
    return this.#rules.failureIf(error) ? 'failure' : 'unknown';
  }

  #judgeResult(value: unknown): Verdict {
    return this.#rules.failureIfResult(value) ? 'failure' : 'success';
  }

  #settle(op: Operation, index: number, verdict: Verdict, error: unknown): void {
    const circuit = this.#circuit;
    const nowMs = this.#world.clock.now();
    settle(circuit, op.slots[index] as number, verdict, nowMs, this.#rules, error);
    if (circuit.news !== undefined) this.#tell(op.id);
  }

  #refuse(op: Operation, admission: 'open' | 'busy', nowMs: number): Error {
    const { name } = this.policy;
    const { reporter } = this.#world;
    const { untilMs, error } = this.#circuit;
    let refusal: CircuitOpenError | CircuitBusyError;
    if (admission === 'open') {
      const retryAfterMs = Math.max(0, Math.ceil(untilMs - nowMs));
      const message = `Circuit "${name}" is open. Try again in ${retryAfterMs} ms.`;
      refusal = new CircuitOpenError(name, message, retryAfterMs, error);
    } else {
      const message = `Circuit "${name}" is half-open and waits for its probes to answer. Try again soon.`;
      refusal = new CircuitBusyError(name, message, undefined, error);
    }
    if (reporter.listening) {
      reporter.report(op.id, { type: 'refused', policy: name, code: refusal.code });
    }
    return refusal;
  }

  #tell(call: number): void {
    const { news } = this.#circuit;
    if (news === undefined) return;
    this.#circuit.news = undefined;
    const { reporter } = this.#world;
    if (!reporter.listening) return;
    for (const transition of news) {
      reporter.report(call, { type: 'circuit', policy: this.policy.name, ...transition });
    }
  }
}

/** In events that no call brought about. */
const NO_CALL = 0;

const isOpen = ({ kind }: Circuit) => kind === 'open' || kind === 'forced-open';
