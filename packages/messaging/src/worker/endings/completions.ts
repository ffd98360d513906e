import type { Clock } from '@holdfast/core';
import { endOfTurn } from '../../end-of-turn.ts';
import type { Lease, LeaseResult, MessageStore } from '../../store.ts';
import type { StorePauses } from '../store-pauses.ts';

interface Waiting {
  readonly lease: Lease;
  readonly result: LeaseResult | undefined;
  readonly resolve: (done: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** Jobs that are done in one turn of the event loop are marked in one transaction. */
export class Completions {
  readonly #store: MessageStore;
  readonly #clock: Clock;
  readonly #pauses: StorePauses;
  #waiting: Waiting[] = [];

  constructor(store: MessageStore, clock: Clock, pauses: StorePauses) {
    this.#store = store;
    this.#clock = clock;
    this.#pauses = pauses;
  }

  /** False where the store did not know the lease any more. */
  add(lease: Lease, result: LeaseResult | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ lease, result, resolve, reject });
      if (this.#waiting.length === 1) void endOfTurn(this.#clock).then(() => this.#flush());
    });
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      const leases = waiting.map(({ lease }) => lease);
      const results = waiting.map(({ result }) => result).filter((each) => each !== undefined);
      const done = await this.#pauses.persist(() => this.#store.complete(leases, results));
      for (const { lease, resolve } of waiting) {
        resolve(done === leases.length || (await this.#isDone(lease)));
      }
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  /** Which of a group were too late is for the store to say. */
  async #isDone({ message }: Lease): Promise<boolean> {
    const found = await this.#pauses.persist(() => this.#store.find(message.id));
    return found?.state === 'delivered';
  }
}
