import type { Clock, Timer } from '../clock.ts';
import type { FaultSwitch } from './fault-switch.ts';

interface Holding {
  readonly letGo: () => void;
  readonly timer: Timer;
}

/** The calls that one fault holds back now: each until its time is over, or all until somebody stops faults. */
export class Holdings {
  readonly #clock: Clock;
  readonly #switch: FaultSwitch;
  readonly #held = new Set<Holding>();
  readonly #letAllGo = () => {
    for (const holding of [...this.#held]) this.#end(holding)();
  };

  constructor(clock: Clock, faults: FaultSwitch) {
    this.#clock = clock;
    this.#switch = faults;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Calls `letGo` once, after `ms` or when faults are stopped; what is returned cancels that. */
  hold(ms: number, letGo: () => void): () => void {
    const timer = this.#clock.timer(ms, () => this.#end(holding)());
    const holding: Holding = { letGo, timer };
    if (this.#held.size === 0) this.#switch.add(this.#letAllGo);
    this.#held.add(holding);
    return () => void this.#end(holding);
  }

  /** Takes it off; what is left to do is returned. */
  #end(holding: Holding): () => void {
    holding.timer.cancel();
    const was = this.#held.delete(holding);
    if (was && this.#held.size === 0) this.#switch.remove(this.#letAllGo);
    return was ? holding.letGo : nothing;
  }
}

function nothing(): void {}
