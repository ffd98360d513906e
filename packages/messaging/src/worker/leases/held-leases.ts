import type { Clock, Timer } from '@holdfast/core';
import { type Lease, type MessageStore, wasTakenBack } from '../../store.ts';

export interface HeldLeasesEnv {
  readonly clock: Clock;
  readonly leaseMs: number;
  /** Called once for a lease that the store no longer knows. */
  readonly lost: (lease: Lease, withdrawn: boolean) => void;
}

/** What a worker holds. It is renewed at half of its time, in one call for all. */
export class HeldLeases {
  readonly #store: MessageStore;
  readonly #env: HeldLeasesEnv;
  readonly #held = new Set<Lease>();
  #timer: Timer | undefined;

  constructor(store: MessageStore, env: HeldLeasesEnv) {
    this.#store = store;
    this.#env = env;
  }

  get size(): number {
    return this.#held.size;
  }

  has(lease: Lease): boolean {
    return this.#held.has(lease);
  }

  find(id: string): Lease | undefined {
    for (const lease of this.#held) if (lease.message.id === id) return lease;
    return undefined;
  }

  add(leases: readonly Lease[]): void {
    for (const lease of leases) this.#held.add(lease);
    if (this.#held.size > 0) this.#timer ??= this.#arm();
  }

  /** False where it was not held any more. */
  delete(lease: Lease): boolean {
    const held = this.#held.delete(lease);
    if (this.#held.size === 0) {
      this.#timer?.cancel();
      this.#timer = undefined;
    }
    return held;
  }

  #arm(): Timer {
    const { clock, leaseMs } = this.#env;
    return clock.timer(leaseMs / 2, () => {
      this.#timer = this.#arm();
      // A store that cannot renew now is asked again half a lease later; what lapses meanwhile shows when it ends.
      this.#renew().catch(() => {});
    });
  }

  async #renew(): Promise<void> {
    const { leaseMs } = this.#env;
    const all = [...this.#held];
    if ((await this.#store.renew(all, leaseMs)) === all.length) return;
    for (const lease of all) {
      // It may have ended in the meantime, which is why the store did not know it.
      if (!this.#held.has(lease) || (await this.#store.renew([lease], leaseMs)) === 1) continue;
      const found = await this.#store.find(lease.message.id);
      if (this.delete(lease)) this.#env.lost(lease, wasTakenBack(found));
    }
  }
}
