import type { Lease, MessageStore } from '../store.ts';

interface Held {
  readonly lease: Lease;
  readonly error: string;
}

/**
 * Messages that failed alone since the last success. They stay leased, so that the next attempt
 * is made with another message, and of another key: one poisonous message must not be tried for
 * ever while those behind it wait. Whatever goes through sets them free.
 */
export class SetAside {
  readonly #store: MessageStore;
  readonly #limit: number;
  readonly #leaseMs: number;
  #held: Held[] = [];

  constructor(store: MessageStore, limit: number, leaseMs: number) {
    this.#store = store;
    this.#limit = limit;
    this.#leaseMs = leaseMs;
  }

  /** Holds what failed; beyond its limit it begins anew with the oldest. */
  async add(lease: Lease, error: string): Promise<void> {
    this.#held.push({ lease, error });
    if (this.#held.length >= this.#limit) await this.free();
  }

  /** One message that is not held, or the oldest of those that are when there is no other. */
  async next(): Promise<readonly Lease[]> {
    if (this.#held.length === 0) return this.#store.lease(1, this.#leaseMs);
    const leases = this.#held.map(({ lease }) => lease);
    await this.#store.renew(leases, this.#leaseMs);
    const next = await this.#store.lease(1, this.#leaseMs);
    if (next.length > 0) return next;
    await this.free();
    return this.#store.lease(1, this.#leaseMs);
  }

  /** Gives all of them back, with what went wrong in their history. */
  async free(): Promise<void> {
    while (this.#held.length > 0) {
      const [{ lease, error } = unreachable()] = this.#held;
      await this.#store.release([lease], { delayMs: 0, error });
      this.#held.shift();
    }
  }
}

function unreachable(): never {
  throw new Error('unreachable: the list was not empty');
}
