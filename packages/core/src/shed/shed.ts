import type { Operation } from '../engine/operation.ts';
import { refused } from '../engine/refused.ts';
import type { Entry, Stage, StageWorld } from '../engine/stage.ts';
import { ShedError } from '../errors.ts';
import type { Forecast } from '../explain/explain.ts';
import type { PolicySnapshot } from '../pipeline.ts';
import { CRITICALITIES, type Policy } from '../policy.ts';
import { Capacity } from './capacity.ts';
import { eventLoopDelay, type LoadProbe } from './load-probe.ts';
import { type ResolvedShedOptions, resolveShedOptions, type ShedOptions } from './options.ts';

/**
 * Refuses calls while this process has more to do than it can, those that matter
 * least first: better some are refused at once than all are answered too late.
 * Put it outermost on the side that serves.
 *
 * @throws RangeError for a value out of range, TypeError for a name that is no option.
 */
export function shed(given: ShedOptions = {}): Policy<ResolvedShedOptions> {
  const options = resolveShedOptions(given);
  const policy: Policy<ResolvedShedOptions> = {
    kind: 'shed',
    name: options.name,
    options,
    stage: (world) => new ShedStage(policy, world),
  };
  return policy;
}

class ShedStage implements Stage {
  readonly policy: Policy<ResolvedShedOptions>;
  readonly #options: ResolvedShedOptions;
  readonly #world: StageWorld;
  readonly #capacity: Capacity | undefined;
  #probe: LoadProbe;
  #inside = 0;
  /** Calls of this rank and beyond are refused; as many as there are ranks: none is. */
  #shedFrom: number = CRITICALITIES.length;

  constructor(policy: Policy<ResolvedShedOptions>, world: StageWorld) {
    const { bbr, probe } = policy.options;
    this.policy = policy;
    this.#options = policy.options;
    this.#world = world;
    this.#probe = probe ?? eventLoopDelay(world.clock);
    this.#capacity = bbr ? new Capacity() : undefined;
  }

  /** Clock time of its start; -1 where nobody asks. */
  slot(): number {
    return -1;
  }

  enter(op: Operation, index: number): Entry {
    const rank = CRITICALITIES.indexOf(op.caller.criticality);
    const load = this.#probe.load();
    this.#shedFrom = this.#rankAt(load);
    if (rank >= this.#shedFrom) {
      return this.#refuse(op, `the load is ${Math.round(load)}`);
    }
    if (this.#capacity !== undefined) {
      const nowMs = this.#world.clock.now();
      const most = this.#capacity.at(nowMs);
      if (rank > 0 && this.#inside > most) {
        return this.#refuse(op, `${this.#inside} calls are inside, of about ${Math.round(most)}`);
      }
      op.slots[index] = nowMs;
    }
    this.#probe.begins?.();
    this.#inside += 1;
    return undefined;
  }

  leave(op: Operation, index: number, _value: unknown, failed: boolean): undefined {
    if (this.#capacity !== undefined && !failed) {
      const nowMs = this.#world.clock.now();
      this.#capacity.ended(nowMs, nowMs - (op.slots[index] as number));
    }
    this.abandon();
  }

  abandon(): void {
    this.#inside -= 1;
    try {
      this.#probe.ends?.();
    } catch {
      // The call has its outcome, and that stands.
    }
  }

  adopt(old: Stage): void {
    if (!(old instanceof ShedStage)) return;
    // Calls in flight end on the old stage and on its probe.
    if (this.#options.probe === undefined && old.#options.probe === undefined) {
      this.#probe = old.#probe;
    }
    this.#shedFrom = old.#shedFrom;
  }

  forecast(): Forecast {
    const { bbr, from } = this.#options;
    const levels = CRITICALITIES.filter((each) => from[each] < Infinity)
      .reverse()
      .map((each) => `${each} from a load of ${from[each]}`);
    const when = [
      ...levels,
      ...(bbr ? ['all but critical-plus beyond what it can take'] : []),
    ].join(', ');
    return {
      refusals: [{ code: 'SHED', when }],
      words: `refuses calls under overload: ${when}.`,
    };
  }

  inspect(): Partial<PolicySnapshot> {
    return { shed: { load: this.#probe.load(), from: CRITICALITIES[this.#shedFrom] } };
  }

  /** From which rank on calls are refused at this load; what is refused already is let in later than it was refused. */
  #rankAt(load: number): number {
    const { from, until } = this.#options;
    let rank = CRITICALITIES.length;
    while (rank > 0) {
      const level = from[CRITICALITIES[rank - 1]!];
      // Of a load that is no number nothing follows: nobody is refused for it.
      if (!(load >= (rank - 1 >= this.#shedFrom ? level * until : level))) break;
      rank -= 1;
    }
    return rank;
  }

  #refuse(op: Operation, why: string): ShedError {
    const { name } = this.policy;
    const { criticality } = op.caller;
    const message = `"${name}" shed a call that is ${criticality}: ${why}. Try again later, elsewhere.`;
    return refused(this.#world, op, new ShedError(name, message));
  }
}
