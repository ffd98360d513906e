/** A place among those that wait for their trial. */
export interface Turn {
  /** Resolves when the trials before it are over. */
  readonly comes: Promise<void>;
  readonly end: () => void;
}

/**
 * Those that a process may have died of, one at a time: were several at work when the next one dies, nobody could tell
 * which of them it was, and each would count one more. A trial is over when the handler has come back, whatever it said.
 */
export class Trials {
  #last: Promise<void> = Promise.resolve();
  #count = 0;
  #waiting: (() => void)[] = [];

  /** Those on trial, and those that wait for it. */
  get count(): number {
    return this.#count;
  }

  /** Counts from now on. */
  enter(): Turn {
    const comes = this.#last;
    const over = Promise.withResolvers<void>();
    this.#last = over.promise;
    this.#count += 1;
    const end = () => {
      this.#count -= 1;
      over.resolve();
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const look of waiting) look();
    };
    return { comes, end };
  }

  /** Does `work` when its turn comes, and ends it. */
  async hold<T>(work: () => Promise<T>, { comes, end } = this.enter()): Promise<T> {
    try {
      await comes;
      return await work();
    } finally {
      end();
    }
  }

  /** Resolves when nobody is on trial, or `signal` aborts. */
  async over(signal?: AbortSignal): Promise<void> {
    const look = () => {
      for (const each of this.#waiting) each();
    };
    signal?.addEventListener('abort', look, { once: true });
    while (this.#count > 0 && signal?.aborted !== true) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    signal?.removeEventListener('abort', look);
  }
}
