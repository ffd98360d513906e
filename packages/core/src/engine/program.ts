import { Operation } from './operation.ts';
import type { Reporter } from './reporter.ts';
import type { Stage, StageWorld } from './stage.ts';

/** Operations kept for the next calls. A burst of more leaves the rest to the garbage collector. */
const POOL_LIMIT = 1_024;

/**
 * Operations that all pipelines of a process keep together, about 12 MB of them:
 * a thousand pipelines must not each keep what one burst needed. Beyond it, a
 * pipeline keeps a few.
 */
const PROCESS_LIMIT = 16_384;
const FEW = 8;

let kept = 0;

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
  #rests = false;

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
    this.#rests = false;
    const op = this.#pool.pop();
    if (op === undefined) return new Operation(this);
    kept -= 1;
    return op;
  }

  giveBack(op: Operation): void {
    if (this.#rests || this.#pool.length >= (kept < PROCESS_LIMIT ? POOL_LIMIT : FEW)) return;
    kept += 1;
    this.#pool.push(op);
  }

  /** Keeps no operation, nor those that are given back, until the next is taken. */
  rest(): void {
    this.#rests = true;
    kept -= this.#pool.length;
    this.#pool.length = 0;
  }
}
