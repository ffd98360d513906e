import type { Subscription } from '../broker.ts';

/** Begins by joining its group, which can be refused. */
export interface JoiningSubscription extends Subscription {
  readonly joined: Promise<void>;
}

/** The open subscriptions of one broker, so that closing it ends them all. */
export class Subscriptions {
  readonly #open = new Set<Subscription>();
  /** Rejects those that have not joined yet. */
  readonly #joining = new Set<() => void>();

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
   * closing the broker meanwhile ends it too: whoever waits for it is told. One
   * that cannot join is closed.
   */
  async join(subscriber: JoiningSubscription, topic: string): Promise<Subscription> {
    const subscription = this.add(subscriber);
    const closed = Promise.withResolvers<never>();
    const giveUp = () => closed.reject(noLongerAsked(topic));
    this.#joining.add(giveUp);
    try {
      await Promise.race([subscriber.joined, closed.promise]);
    } catch (error) {
      await subscription.close();
      throw error;
    } finally {
      this.#joining.delete(giveUp);
    }
    return subscription;
  }

  async close(): Promise<void> {
    for (const giveUp of this.#joining) giveUp();
    await Promise.all([...this.#open].map((each) => each.close()));
    this.#open.clear();
  }
}

/** What a subscription is told whose broker was closed before it had begun. */
export function noLongerAsked(topic: string): Error {
  return new Error(`"${topic}" is no longer asked for: the broker's client was closed.`);
}
