import type { Clock, Timer } from '@holdfast/core';
import type { Lease, MessageStore } from '../store.ts';

export interface ProgressNotesEnv {
  readonly clock: Clock;
  /** From one write to the next. */
  readonly everyMs: number;
}

/**
 * What handlers say of how far they are, on its way to the store, where other processes see it. Of all that
 * is said in `everyMs` the last word of each job is written, all of them in one call; so a handler may say
 * something with every row it reads. What a store cannot keep now is left out: the next word says more.
 */
export class ProgressNotes {
  readonly #store: MessageStore;
  readonly #env: ProgressNotesEnv;
  readonly #said = new Map<Lease, string>();
  #timer: Timer | undefined;
  #writing = false;
  #nextMs = -Infinity;

  constructor(store: MessageStore, env: ProgressNotesEnv) {
    this.#store = store;
    this.#env = env;
  }

  say(lease: Lease, text: string): void {
    if (this.#env.everyMs === Infinity) return;
    this.#said.set(lease, text);
    this.#arm();
  }

  /** It has ended, or is another's: nobody asks any more how far it is. */
  forget(lease: Lease): void {
    this.#said.delete(lease);
    if (this.#said.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#writing || this.#said.size === 0) return;
    const waitMs = Math.max(0, this.#nextMs - this.#env.clock.now());
    this.#timer = this.#env.clock.timer(waitMs, () => {
      this.#timer = undefined;
      void this.#write();
    });
  }

  async #write(): Promise<void> {
    const { clock, everyMs } = this.#env;
    this.#writing = true;
    const notes = [...this.#said].map(([lease, text]) => ({ lease, text }));
    this.#said.clear();
    this.#nextMs = clock.now() + everyMs;
    try {
      if (notes.length > 0) await this.#store.note(notes);
    } catch {
      // Above all it must not disturb the work. Whether the store is well is for those to say who need it.
    }
    this.#writing = false;
    this.#arm();
  }
}
