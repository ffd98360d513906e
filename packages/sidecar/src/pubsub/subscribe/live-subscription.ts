import { deliverBulk } from '../deliver/bulk-delivery.ts';
import { BulkGatherer } from '../deliver/bulk-gatherer.ts';
import type { Courier } from '../deliver/courier.ts';
import { type DeliveryOptions, deliver } from '../deliver/delivery.ts';
import { publishMany } from '../publish/publish-many.ts';
import type { PubSub, PubSubHandler, PubSubMessage, TopicListener } from '../pubsub.ts';
import type { TopicSubscription } from './subscription.ts';

/** A subscription that is up. What it says, and the broker behind its name, may change while it is. */
export class LiveSubscription {
  /** The same for every event. */
  readonly #delivery: DeliveryOptions;
  #subscription: TopicSubscription;
  #gatherer: BulkGatherer | undefined;
  #broker: PubSub | undefined;
  /** The last broker there was: what came from it may still end after it was left. */
  #source: PubSub | undefined;
  #listener: Promise<TopicListener> | undefined;
  /** So many events the broker was told to have with us at a time. */
  #joinedFor = 1;
  #hurried = false;
  #ended = false;

  constructor(
    subscription: TopicSubscription,
    courier: Courier,
    options: Omit<DeliveryOptions, 'bury' | 'courier' | 'ended'>,
  ) {
    this.#subscription = subscription;
    this.#delivery = {
      ...options,
      courier,
      bury: (dead, messages) => this.#bury(dead, messages),
      ended: () => this.#ended,
    };
    this.#gatherer = this.#newGatherer();
  }

  get subscription(): TopicSubscription {
    return this.#subscription;
  }

  /** Where it takes its events from. */
  get broker(): PubSub | undefined {
    return this.#broker;
  }

  /** What it says now is not what its broker was told when it joined: it is to join again. */
  get isOutdated(): boolean {
    return this.#gather !== this.#joinedFor;
  }

  get #gather(): number {
    return this.#subscription.bulk?.maxMessages ?? 1;
  }

  /** Takes events from `broker`, and from where it took them before no more. Rejects where that cannot be. */
  async join(broker: PubSub): Promise<void> {
    // A broker that is being closed may fail at that, which changes nothing here.
    void this.#leave().catch(() => {});
    this.#broker = broker;
    this.#source = broker;
    if (isImmediate(broker)) this.#gatherer?.hurry();
    const { metadata, topic } = this.#subscription;
    const gather = this.#gather;
    this.#joinedFor = gather;
    const take: PubSubHandler = (message, signal) => this.#take(message, signal);
    const listener = broker.subscribe(topic, take, metadata, gather);
    this.#listener = listener;
    await listener;
  }

  /** Says something else from the next event on; misses none. */
  change(now: TopicSubscription): void {
    const earlier = this.#gatherer;
    this.#subscription = now;
    this.#gatherer = this.#newGatherer();
    earlier?.hurry();
  }

  /** No event waits for others any more. */
  hurry(): void {
    this.#hurried = true;
    this.#gatherer?.hurry();
  }

  /** Takes nothing more; resolves when what the application has in hand has ended. */
  async close(): Promise<void> {
    this.#ended = true;
    this.hurry();
    await this.#leave();
  }

  async #leave(): Promise<void> {
    const left = this.#listener;
    this.#listener = undefined;
    this.#broker = undefined;
    // One that could not be joined has nothing to close, and was said by who tried.
    const listener = await left?.catch(() => undefined);
    await listener?.close();
  }

  #take(message: PubSubMessage, signal?: AbortSignal): Promise<void> {
    return this.#gatherer === undefined
      ? deliver(this.#subscription, message, this.#delivery, signal)
      : this.#gatherer.take(message, signal);
  }

  #newGatherer(): BulkGatherer | undefined {
    const { bulk } = this.#subscription;
    if (bulk === undefined) return undefined;
    const gatherer = new BulkGatherer(bulk, this.#delivery.clock, (entries) =>
      deliverBulk(this.#subscription, entries, this.#delivery),
    );
    if (this.#hurried || isImmediate(this.#broker)) gatherer.hurry();
    return gatherer;
  }

  /** Past scopes and envelopes, at the broker that the event came from last. */
  async #bury(topic: string, messages: readonly PubSubMessage[]): Promise<void> {
    if (this.#source === undefined) throw new Error('the broker is gone');
    const failure = (await publishMany(this.#source, topic, messages)).find(Boolean);
    if (failure !== undefined) throw failure;
  }
}

/** A broker of which a bulk is what has come, as its component says: no event waits for others. */
const isImmediate = (broker: PubSub | undefined): boolean =>
  broker?.capabilities.includes('BULK_SUBSCRIBE_IMMEDIATE') === true;
