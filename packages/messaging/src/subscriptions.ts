import type { Subscription } from './broker.ts';

/** Begins by joining its group, which can be refused. */
export interface JoiningSubscription extends Subscription {
  readonly joined: Promise<void>;
}

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

  /**
   * As `add`, and resolves when it has joined. It is known before that, so that
   * closing the broker meanwhile ends it too; one that cannot join is closed.
   */
  async join(subscriber: JoiningSubscription): Promise<Subscription> {
    const subscription = this.add(subscriber);
    try {
      await subscriber.joined;
    } catch (error) {
      await subscription.close();
      throw error;
    }
    return subscription;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((each) => each.close()));
    this.#open.clear();
  }
}
