import { Operation } from './operation.ts';
import type { Reporter } from './report/reporter.ts';
import type { Stage, StageWorld } from './stage.ts';

/** Operations kept for the next calls. A burst of more leaves the rest to the garbage collector. */
const POOL_LIMIT = 1_024;

/** Every pipeline may keep so many, whatever the others keep. */
const FEW = 8;

/**
 * Those beyond that which all pipelines of a process keep together, about 12 MB of them: a thousand
 * pipelines must not each keep what one burst needed.
 */
const PROCESS_LIMIT = 16_384;

/** Places for operations that pipelines have claimed beyond the few, in use or not. */
let claimed = 0;

/** What one pipeline has of `claimed`; it must not keep its pipeline alive. */
interface Claim {
  places: number;
}

/** A pipeline that is dropped, without a word, gives back its places. */
const dropped = /* @__PURE__ */ new FinalizationRegistry((claim: Claim) => {
  claimed -= claim.places;
});

/** Of a pipeline, over all its swaps. */
export interface Tally {
  /** Calls begun and not ended. */
  inFlight: number;
}

/** The stages of a pipeline between two swaps, and the operations that have the slots for them. */
export class Program {
  readonly world: StageWorld;
  readonly reporter: Reporter;
  readonly stages: readonly Stage[];
  /** Index of the innermost stage; -1 when there is none. */
  readonly last: number;
  /** Whether a timer may end something and the caller's code then go on, which needs the caller's context. */
  readonly capturesContext: boolean;
  readonly tally: Tally;
  readonly #pool: Operation[] = [];
  #claim: Claim | undefined = undefined;
  /** Keeps nothing. So it begins: of a family with a key for every order, most hear of one call only. */
  #rests = true;
  #called = false;

  constructor(world: StageWorld, stages: readonly Stage[], tally: Tally) {
    this.world = world;
    this.reporter = world.reporter;
    this.tally = tally;
    this.stages = stages;
    this.last = stages.length - 1;
    const first = stages.findIndex((stage) => stage.continues === true);
    this.capturesContext =
      first >= 0 && stages.some((stage, index) => index > first && stage.timed === true);
  }

  take(): Operation {
    return this.#pool.pop() ?? this.#make();
  }

  /** Where nothing is kept, the second call in a row is the sign that there will be more. */
  #make(): Operation {
    this.#rests = !this.#called;
    this.#called = true;
    return new Operation(this);
  }

  giveBack(op: Operation): void {
    if (this.#rests) return;
    const { length } = this.#pool;
    if (length < FEW || length < FEW + (this.#claim?.places ?? 0) || this.#claimPlace()) {
      this.#pool.push(op);
    }
  }

  /** Room for one more, where there is any. */
  #claimPlace(): boolean {
    if (this.#pool.length >= POOL_LIMIT || claimed >= PROCESS_LIMIT) return false;
    if (this.#claim === undefined) {
      this.#claim = { places: 0 };
      dropped.register(this, this.#claim);
    }
    this.#claim.places += 1;
    claimed += 1;
    return true;
  }

  /** Keeps no operation, nor those that are given back, until the next is taken. */
  rest(): void {
    this.#rests = true;
    this.#pool.length = 0;
    if (this.#claim === undefined) return;
    claimed -= this.#claim.places;
    this.#claim.places = 0;
  }
}
