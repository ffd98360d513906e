import type { Operation } from '../engine/operation.ts';
import { refused } from '../engine/report/refused.ts';
import type { Cut, Entry, Stage, StageWorld } from '../engine/stage.ts';
import { ThrottledError } from '../errors.ts';
import type { Forecast } from '../explain/explain.ts';
import type { PolicySnapshot } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { Acceptance, rejectProbability } from './acceptance.ts';
import {
  type ResolvedThrottleOptions,
  resolveThrottleOptions,
  THROTTLE_DEFAULTS,
  type ThrottleOptions,
} from './options.ts';

/**
 * Sends only about as many calls as the dependency accepts: the more of the last
 * ones it refused, the more are not sent at all. It lets some through always, and
 * so notices by itself when the dependency is well again.
 *
 * @throws RangeError for a value out of range, TypeError for a name that is no option.
 */
export function throttle(given: ThrottleOptions = {}): Policy<ResolvedThrottleOptions> {
  const options = resolveThrottleOptions(given);
  const policy: Policy<ResolvedThrottleOptions> = {
    kind: 'throttle',
    name: options.name,
    options,
    stage: (world) => new ThrottleStage(policy, world),
  };
  return policy;
}

class ThrottleStage implements Stage {
  readonly policy: Policy<ResolvedThrottleOptions>;
  readonly #options: ResolvedThrottleOptions;
  readonly #world: StageWorld;
  readonly #judgesResults: boolean;
  #acceptance: Acceptance;

  constructor(policy: Policy<ResolvedThrottleOptions>, world: StageWorld) {
    const { options } = policy;
    this.policy = policy;
    this.#options = options;
    this.#world = world;
    this.#judgesResults = options.refusedIfResult !== THROTTLE_DEFAULTS.refusedIfResult;
    this.#acceptance = new Acceptance(options.windowMs);
  }

  enter(op: Operation): Entry {
    const { clock, random } = this.#world;
    const acceptance = this.#acceptance;
    const nowMs = clock.now();
    // Before the call, not after it: else a slow dependency is noticed late (go-zero, issue 5011).
    acceptance.call(nowMs);
    const { calls, accepts } = acceptance;
    const k = this.#options.kFor[op.caller.criticality];
    const probability = rejectProbability(calls - 1, accepts, k) * acceptance.partLeft(nowMs);
    // One in each slice is sent in any case: by the formula alone, one in a window would be.
    const probing = nowMs - acceptance.sentMs >= acceptance.sliceMs;
    if (probability > 0 && random.next() < probability && !probing) {
      return this.#refuse(op, probability);
    }
    acceptance.sentMs = nowMs;
    return undefined;
  }

  leave(_op: Operation, _index: number, value: unknown, failed: boolean): undefined {
    const refused = failed
      ? this.#options.refusedIf(value)
      : this.#judgesResults && this.#options.refusedIfResult(value);
    this.#acceptance.answered(!refused, this.#world.clock.now());
  }

  abandon(_op: Operation, _index: number, cut: Cut): void {
    const nowMs = this.#world.clock.now();
    // What the caller ended says nothing of the dependency: counted as accepted, it changes nothing.
    if (cut === 'cancelled') this.#acceptance.accept(nowMs);
    else this.#acceptance.answered(false, nowMs);
  }

  adopt(old: Stage): void {
    if (!(old instanceof ThrottleStage)) return;
    if (old.#options.windowMs === this.#options.windowMs) this.#acceptance = old.#acceptance;
  }

  forecast(): Forecast {
    const { k } = this.#options;
    const when = `by chance, the more so the fewer calls are accepted: less than one in ${k}`;
    return {
      refusals: [{ code: 'THROTTLED', when }],
      words: `sends about ${k} times as many calls as are accepted, and refuses others.`,
    };
  }

  inspect(): Partial<PolicySnapshot> {
    const nowMs = this.#world.clock.now();
    this.#acceptance.turn(nowMs);
    const { calls, accepts } = this.#acceptance;
    const formula = rejectProbability(calls, accepts, this.#options.k);
    return {
      throttle: { calls, accepts, rejectProbability: formula * this.#acceptance.partLeft(nowMs) },
    };
  }

  #refuse(op: Operation, probability: number): ThrottledError {
    const { name } = this.policy;
    const { calls, accepts } = this.#acceptance;
    const message = `Throttle "${name}" did not send the call: of the last ${calls} only ${accepts} were accepted. Try again later; ${Math.round(probability * 100)} % are refused now.`;
    return refused(this.#world, op, new ThrottledError(name, message));
  }
}
