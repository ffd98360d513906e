import type { Operation } from '../engine/operation.ts';
import { refused } from '../engine/refused.ts';
import type { Cut, Entry, ForcedState, Stage, StageWorld } from '../engine/stage.ts';
import { CircuitBusyError, CircuitOpenError, isPolicyError } from '../errors.ts';
import type { OwnCircuitState } from '../events.ts';
import type { Forecast } from '../explain/explain.ts';
import type { Remark } from '../explain/remarks.ts';
import type { PolicySnapshot } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { applyRules } from './apply-rules.ts';
import {
  type Circuit,
  countSuccess,
  isTimeless,
  SUCCESS,
  type Transition,
  type Verdict,
} from './circuit.ts';
import { forecastBreaker } from './forecast.ts';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
  type ResolvedCircuitBreakerOptions,
  resolveCircuitBreakerOptions,
} from './options.ts';
import { remarksOnCircuit } from './remarks.ts';
import { restoredCircuit } from './restore.ts';
import { SharedCircuit, type SharingStage } from './shared/shared-circuit.ts';
import { snapshotOf } from './snapshot-of.ts';
import { admit, force, moveOn, newCircuit, settle } from './states.ts';

/**
 * Stops calling a dependency that keeps failing, and probes it now and then
 * until it recovers. Needs no timer: it looks at the clock when it is called.
 *
 * @throws RangeError for a value out of range, TypeError for a name that is no option.
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

/** What one operation keeps for its breaker. */
interface Admission {
  /** The generation that admitted it. */
  generation: number;
  /** That of the circuit it would be, while it observes; `REFUSED` if that would not have let it go on. */
  watched: number;
  /** When it went in; only kept where a rule asks how long it took. */
  beganMs: number;
}

const REFUSED = -1;

class BreakerStage implements Stage, SharingStage {
  readonly policy: Policy<ResolvedCircuitBreakerOptions>;
  readonly #rules: ResolvedCircuitBreakerOptions;
  readonly #world: StageWorld;
  readonly #judgesResults: boolean;
  #circuit: Circuit;
  #shared: SharedCircuit | undefined;

  constructor(policy: Policy<ResolvedCircuitBreakerOptions>, world: StageWorld) {
    const { options } = policy;
    const nowMs = world.clock.now();
    this.policy = policy;
    this.#rules = options;
    this.#world = world;
    this.#circuit =
      options.initial === undefined
        ? newCircuit(nowMs, options)
        : restoredCircuit(nowMs, options, options.initial);
    this.#judgesResults = options.failureIfResult !== CIRCUIT_BREAKER_DEFAULTS.failureIfResult;
    this.#shared =
      options.shared === undefined ? undefined : new SharedCircuit(this, world, options.shared);
    this.#draw();
  }

  get circuit(): Circuit {
    return this.#circuit;
  }

  get rules(): ResolvedCircuitBreakerOptions {
    return this.#rules;
  }

  slot(): Admission {
    return { generation: 0, watched: REFUSED, beganMs: 0 };
  }

  enter(op: Operation, index: number): Entry {
    const circuit = this.#circuit;
    const admission = op.slots[index] as Admission;
    if (this.#shared !== undefined || !isTimeless(circuit)) return this.#admit(op, admission);
    circuit.counts.requests += 1;
    admission.generation = circuit.generation;
    return undefined;
  }

  #admit(op: Operation, admission: Admission): Entry {
    const circuit = this.#circuit;
    const nowMs = this.#world.clock.now();
    this.#shared?.touch(nowMs);
    const answer = admit(circuit, nowMs, this.#rules);
    // Before anybody hears of it: a listener may force the circuit into another generation.
    admission.generation = circuit.generation;
    admission.beganMs = nowMs;
    if (circuit.shadow !== undefined) this.#watch(circuit.shadow, op, admission, nowMs);
    if (circuit.news !== undefined) this.#tell(op.id);
    return answer === 'yes' ? undefined : this.#refuse(op, answer, nowMs);
  }

  leave(op: Operation, index: number, value: unknown, failed: boolean): undefined {
    const circuit = this.#circuit;
    const admission = op.slots[index] as Admission;
    if (failed || this.#judgesResults || !isTimeless(circuit)) {
      this.#judge(op, admission, value, failed);
    } else if (circuit.generation === admission.generation) countSuccess(circuit.counts);
  }

  #judge(op: Operation, admission: Admission, value: unknown, failed: boolean): void {
    let verdict: Verdict = 'unknown';
    try {
      verdict = failed ? this.#judgeError(value) : this.#judgeResult(value);
    } finally {
      // Also when the caller's predicate throws: the permit must come back.
      this.#settle(op, admission, verdict, value, failed);
    }
  }

  abandon(op: Operation, index: number, cut: Cut, error: unknown): void {
    let verdict: Verdict = 'unknown';
    try {
      if (cut === 'overdue') verdict = this.#judgeError(error);
    } catch {
      // The call ends with the time limit's error; the predicate's own has nobody to go to.
    }
    this.#settle(op, op.slots[index] as Admission, verdict, error, true);
  }

  adopt(old: Stage): void {
    if (!(old instanceof BreakerStage)) return;
    this.#circuit = old.#circuit;
    applyRules(this.#circuit, this.#world.clock.now(), old.#rules, this.#rules);
    const { shared } = this.#rules;
    if (shared !== undefined && old.#shared !== undefined) {
      this.#shared = old.#shared;
      this.#shared.moveTo(this, shared);
    }
    this.#tell(NO_CALL);
  }

  remarks(inside: readonly Policy[]): readonly Remark[] {
    return remarksOnCircuit(this.policy, inside);
  }

  forecast(): Forecast {
    return forecastBreaker(this.#rules);
  }

  inspect(): Partial<PolicySnapshot> {
    const nowMs = this.#world.clock.now();
    this.#look(nowMs);
    this.#tell(NO_CALL);
    const circuit = snapshotOf(this.#circuit, nowMs, this.#rules);
    const heard = this.#shared?.heard;
    if (heard === undefined) return { circuit };
    const { failing, nodes, state } = heard;
    return { circuit: { ...circuit, shared: { failing, nodes, state } } };
  }

  force(as: ForcedState | 'closed', forMs: number): void {
    const nowMs = this.#world.clock.now();
    this.#look(nowMs);
    force(this.#circuit, as, nowMs, nowMs + forMs, this.#rules);
    this.#tell(NO_CALL);
  }

  tellNews(): void {
    this.#tell(NO_CALL);
  }

  #look(nowMs: number): void {
    const { shadow } = this.#circuit;
    if (shadow !== undefined) moveOn(shadow, nowMs, this.#rules);
    moveOn(this.#circuit, nowMs, this.#rules);
  }

  #judgeError(error: unknown): Verdict {
    const { failureIf, ignoreIf } = this.#rules;
    if (ignoreIf(error)) return 'unknown';
    if (failureIf(error)) return 'failure';
    // Of our own refusals and time limits the dependency knows nothing; any other error is an answer.
    return isPolicyError(error) ? 'unknown' : 'success';
  }

  #judgeResult(value: unknown): Verdict {
    return this.#rules.failureIfResult(value) ? 'failure' : 'success';
  }

  #settle(
    op: Operation,
    { generation, watched, beganMs }: Admission,
    verdict: Verdict,
    value: unknown,
    failed: boolean,
  ): void {
    const circuit = this.#circuit;
    const rules = this.#rules;
    const nowMs = this.#world.clock.now();
    const { slowCalls } = rules;
    const slow = slowCalls !== undefined && nowMs - beganMs >= slowCalls.slowCallMs;
    const ending =
      verdict === 'success' && !slow
        ? SUCCESS
        : {
            verdict,
            slow,
            error: failed ? value : undefined,
            hintMs: this.#hint(verdict, value, failed),
          };
    if (circuit.shadow !== undefined && watched !== REFUSED && generation === circuit.generation) {
      settle(circuit.shadow, watched, ending, nowMs, rules);
    }
    settle(circuit, generation, ending, nowMs, rules);
    if (circuit.news !== undefined || circuit.shadow !== undefined) this.#tell(op.id);
  }

  #hint(verdict: Verdict, value: unknown, failed: boolean): number {
    const { openHint } = this.#rules;
    if (verdict !== 'failure' || openHint === undefined) return 0;
    try {
      const hintMs = openHint(failed ? { error: value } : { value });
      return typeof hintMs === 'number' && hintMs > 0 ? hintMs : 0;
    } catch {
      // The failure is the caller's to hear of; a hint that cannot be read is none.
      return 0;
    }
  }

  /** Has the circuit that it would be decide about the call, which goes on in any case. */
  #watch(shadow: Circuit, op: Operation, admission: Admission, nowMs: number): void {
    const answer = admit(shadow, nowMs, this.#rules);
    admission.watched = answer === 'yes' ? shadow.generation : REFUSED;
    this.#tell(op.id);
    const { reporter } = this.#world;
    if (answer === 'yes' || !reporter.listening) return;
    const { name: policy } = this.policy;
    const code = answer === 'open' ? 'CIRCUIT_OPEN' : 'CIRCUIT_BUSY';
    reporter.report(op.id, { type: 'would-refuse', policy, code });
  }

  #refuse(op: Operation, admission: 'open' | 'busy', nowMs: number): Error {
    const { name } = this.policy;
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
    return refused(this.#world, op, refusal);
  }

  #tell(call: number): void {
    const circuit = this.#circuit;
    const { reporter } = this.#world;
    const { name: policy } = this.policy;
    this.#draw();
    for (const news of takeNews(circuit)) {
      this.#shared?.changed(news, this.#world.clock.now());
      if (reporter.listening) reporter.report(call, { type: 'circuit', policy, ...news });
    }
    if (circuit.shadow === undefined) return;
    for (const { from, to, ...news } of takeNews(circuit.shadow)) {
      if (!reporter.listening) continue;
      const own = { from: from as OwnCircuitState, to: to as OwnCircuitState };
      reporter.report(call, { type: 'circuit-observed', policy, ...own, ...news });
    }
  }

  /** Draws the chance for the next open time, where there is any in it. */
  #draw(): void {
    if (this.#rules.openJitter === 0) return;
    const { shadow } = this.#circuit;
    this.#circuit.chance = this.#world.random.next();
    if (shadow !== undefined) shadow.chance = this.#world.random.next();
  }
}

/** In events that no call brought about. */
const NO_CALL = 0;

const NO_NEWS: readonly Transition[] = [];

function takeNews(circuit: Circuit): readonly Transition[] {
  const { news } = circuit;
  if (news === undefined) return NO_NEWS;
  circuit.news = undefined;
  return news;
}
