import type { Pipeline } from '@holdfast/core';
import type { OpenPubSub } from '../../components/open-components.ts';
import { deliverBulk } from '../deliver/bulk-delivery.ts';
import { BulkGatherer } from '../deliver/bulk-gatherer.ts';
import type { Courier } from '../deliver/courier.ts';
import { type DeliveryOptions, deliver } from '../deliver/delivery.ts';
import { publishMany } from '../publish/publish-many.ts';
import type { PubSub, PubSubHandler, PubSubMessage, TopicListener } from '../pubsub.ts';
import type { TopicSubscription } from './subscription.ts';

export interface LiveSubscriptionOptions
  extends Omit<DeliveryOptions, 'bury' | 'courier' | 'ended'> {
  readonly appId: string;
  /** The outbound policies of a component, which hold for dead letters; undefined where there are none. */
  readonly outbound: (pubsub: string) => Pipeline | undefined;
}

/** A subscription that is up. What it says, and the broker behind its name, may change while it is. */
export class LiveSubscription {
  /** The same for every event. */
  readonly #delivery: DeliveryOptions;
  readonly #options: LiveSubscriptionOptions;
  #subscription: TopicSubscription;
  #gatherer: BulkGatherer | undefined;
  #broker: PubSub | undefined;
  /** The last broker there was: what came from it may still end after it was left. */
  #source: OpenPubSub | undefined;
  #listener: Promise<TopicListener> | undefined;
  /** So many events the broker was told to have with us at a time. */
  #joinedFor = 1;
  #hurried = false;
  #ended = false;

  constructor(subscription: TopicSubscription, courier: Courier, options: LiveSubscriptionOptions) {
    this.#subscription = subscription;
    this.#options = options;
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
  async join(open: OpenPubSub): Promise<void> {
    const { broker } = open;
    // A broker that is being closed may fail at that, which changes nothing here.
    void this.#leave().catch(() => {});
    this.#broker = broker;
    this.#source = open;
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

  /**
   * At the broker that the event came from last, as an event that the application published: its scopes
   * hold, and its outbound policies, which try those again that did not get there.
   */
  async #bury(topic: string, messages: readonly PubSubMessage[]): Promise<void> {
    if (this.#source === undefined) throw new Error('the broker is gone');
    const { broker, outbox, scopes } = this.#source;
    const { appId, outbound } = this.#options;
    if (!scopes.mayPublish(topic)) {
      throw new Error(`topic ${topic} is not allowed for app id ${appId}`);
    }
    let left = messages;
    const publish = async (signal?: AbortSignal): Promise<void> => {
      const failures = await publishMany(broker, topic, left, signal);
      left = left.filter((_, at) => failures[at] !== undefined);
      const failure = failures.find(Boolean);
      if (failure !== undefined) throw failure;
    };
    // What an outbox keeps does not go to the broker yet.
    const pipeline = outbox === undefined ? outbound(this.#subscription.pubsub) : undefined;
    await (pipeline === undefined ? publish() : pipeline.execute(({ signal }) => publish(signal)));
  }
}

/** A broker of which a bulk is what has come, as its component says: no event waits for others. */
const isImmediate = (broker: PubSub | undefined): boolean =>
  broker?.capabilities.includes('BULK_SUBSCRIBE_IMMEDIATE') === true;
