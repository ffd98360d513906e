import type { Subscription } from './broker.ts';

/** The open subscriptions of one broker, so that closing it ends them all. */
export class Subscriptions {
  readonly #open = new Set<Subscription>();

  /** Returns the handle to give out: closing it also forgets it here. */
  add(subscription: Subscription): Subscription {
    this.#open.add(subscription);
    return {
      close: () => {
        this.#open.delete(subscription);
        return subscription.close();
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((each) => each.close()));
    this.#open.clear();
  }
}
