import type { Clock, Random } from '@holdfast/core';
import { StoreUnavailableError } from '../errors.ts';
import type { WorkerEvent } from './events.ts';

export interface StorePausesEnv {
  readonly clock: Clock;
  readonly random: Random;
  readonly tell: (event: WorkerEvent) => void;
}

const FIRST_MS = 100;
const LONGEST_MS = 2_000;

/** How a worker lives with a store that is away: it waits, longer each time, and goes on. */
export class StorePauses {
  readonly #env: StorePausesEnv;
  readonly #patience = new AbortController();
  #failures = 0;
  #hurry = false;
  /** Why the store cannot be used; undefined while it can. */
  problem: unknown;

  constructor(env: StorePausesEnv) {
    this.#env = env;
  }

  /** It answered. */
  over(): void {
    this.#failures = 0;
    this.problem = undefined;
  }

  /** It failed: how long to wait before it is asked again. */
  next(error: unknown): number {
    const { random } = this.#env;
    this.problem = error;
    this.#failures += 1;
    const ceilingMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(this.#failures - 1, 10));
    const hintMs = error instanceof StoreUnavailableError ? error.retryAfterMs : 0;
    const pauseMs = Math.round(Math.max(hintMs, (ceilingMs / 2) * (1 + random.next())));
    if (!this.#hurry) this.#env.tell({ type: 'paused', pauseMs, error });
    return this.#hurry ? 0 : pauseMs;
  }

  /** Tries until the store has it. Throws what is no outage, and when patience is over. */
  async persist<T>(work: () => Promise<T>): Promise<T> {
    for (let pauseMs = FIRST_MS; ; pauseMs = Math.min(LONGEST_MS, pauseMs * 2)) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof StoreUnavailableError) || this.#patience.signal.aborted) throw error;
        this.#env.tell({ type: 'paused', pauseMs, error });
        await this.#env.clock.sleep(pauseMs, this.#patience.signal).catch(() => {});
      }
    }
  }

  tellOf(error: unknown): void {
    this.#env.tell({ type: 'paused', pauseMs: 0, error });
  }

  /** The worker stops: nothing new is waited for. */
  hurry(): void {
    this.#hurry = true;
  }

  /** Its grace is over: what cannot be kept now is left to lapse. */
  giveUp(): void {
    this.#patience.abort();
  }
}
