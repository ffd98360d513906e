import type { Logger } from '@holdfast/telemetry/log';
import type { AskApp } from '../app/ask-app.ts';
import type { OpenPubSub } from '../components/open-components.ts';
import { deliverBulk } from './bulk-delivery.ts';
import { BulkGatherer } from './bulk-gatherer.ts';
import type { Courier } from './courier.ts';
import { type DeliveryOptions, deliver } from './delivery.ts';
import { httpCourier } from './http-courier.ts';
import { publishMany } from './publish-many.ts';
import type { PubSubHandler, TopicListener } from './pubsub.ts';
import { programmatic, type TopicSubscription } from './subscription.ts';

export interface SubscriberOptions extends Omit<DeliveryOptions, 'bury' | 'courier'> {
  readonly appId: string;
  readonly ask: AskApp;
  readonly brokers: ReadonlyMap<string, OpenPubSub>;
  /** Those of the resources. */
  readonly declared: readonly TopicSubscription[];
}

/** A subscription that is up, and how to end it. */
interface Active {
  readonly subscription: TopicSubscription;
  readonly gatherer: BulkGatherer | undefined;
  readonly listener: TopicListener;
}

/** Asks the application what it wants, and subscribes to that and to what the resources say. */
export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #http: Courier;
  readonly #active = new Set<Active>();
  #ending = false;
  #started: Promise<void> | undefined;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#http = httpCourier(options.ask);
  }

  /** For the metadata. */
  get active(): readonly TopicSubscription[] {
    return [...this.#active].map(({ subscription }) => subscription);
  }

  /**
   * To be called when the application is there; only the first time does
   * something. What is wrong with one subscription is logged and leaves the others alone.
   */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  /** There is no application: nobody will subscribe. */
  nobody(): void {
    for (const { broker } of this.#options.brokers.values()) broker.subscribed?.();
  }

  /** The sidecar stops: no event waits for others any more. */
  hurry(): void {
    this.#ending = true;
    for (const { gatherer } of this.#active) gatherer?.hurry();
  }

  /**
   * Subscribes, for whoever `courier` leads to. Resolves with how to end it;
   * undefined, after a line in the log, where it cannot be.
   */
  async add(
    subscription: TopicSubscription,
    courier: Courier = this.#http,
  ): Promise<TopicListener | undefined> {
    const { clock, log } = this.#options;
    const { bulk, pubsub, topic } = subscription;
    const open = this.#allowed(subscription);
    if (open === undefined) return undefined;
    if (this.#known(subscription)) return undefined;
    const options: DeliveryOptions = {
      ...this.#options,
      courier,
      async bury(dead, messages) {
        const failure = (await publishMany(open.broker, dead, messages)).find(Boolean);
        if (failure !== undefined) throw failure;
      },
    };
    const gatherer =
      bulk &&
      new BulkGatherer(bulk, clock, (entries) => deliverBulk(subscription, entries, options));
    if (this.#ending) gatherer?.hurry();
    const handler: PubSubHandler =
      gatherer === undefined
        ? (message, signal) => deliver(subscription, message, options, signal)
        : (message, signal) => gatherer.take(message, signal);
    const listener = Promise.withResolvers<TopicListener>();
    const active: Active = {
      subscription,
      gatherer,
      listener: {
        close: async () => {
          gatherer?.hurry();
          this.#active.delete(active);
          await (await listener.promise).close();
        },
      },
    };
    this.#active.add(active);
    try {
      listener.resolve(await open.broker.subscribe(topic, handler));
    } catch (error) {
      this.#active.delete(active);
      // Nobody can be waiting for it: it was in nobody's hand yet.
      listener.resolve({ close: async () => {} });
      log.error(`Nobody subscribes to ${topic} in ${pubsub}: ${(error as Error).message}`);
      return undefined;
    }
    return active.listener;
  }

  async #start(): Promise<void> {
    const { ask, brokers, declared, log } = this.#options;
    if (brokers.size === 0) return;
    const wanted = [...declared, ...(await asked(ask, log))];
    for (const one of wanted) await this.add(one);
    this.nobody();
  }

  /** Said twice, the first counts, as in Dapr; streams may share a topic. */
  #known({ pubsub, topic, type }: TopicSubscription): boolean {
    if (type === 'STREAMING') return false;
    return this.active.some(
      (one) => one.type !== 'STREAMING' && one.pubsub === pubsub && one.topic === topic,
    );
  }

  #allowed({ pubsub, topic }: TopicSubscription): OpenPubSub | undefined {
    const { appId, brokers, log } = this.#options;
    const open = brokers.get(pubsub);
    if (open === undefined) {
      log.error(`Nobody subscribes to ${topic}: pubsub ${pubsub} is not found.`);
      return undefined;
    }
    if (open.scopes.maySubscribe(topic)) return open;
    log.error(
      `Nobody subscribes to ${topic}: it is not allowed for app id ${appId} in pubsub ${pubsub}.`,
    );
    return undefined;
  }
}

async function asked(ask: AskApp, log: Logger): Promise<readonly TopicSubscription[]> {
  try {
    const { body, status } = await ask({
      method: 'GET',
      path: '/dapr/subscribe',
      headers: [],
      body: null,
    });
    // An application that subscribes to nothing does not have the route.
    if (status === 404) return [];
    if (status !== 200) throw new Error(`it answered ${status}`);
    return body.length === 0 ? [] : programmatic(JSON.parse(body.toString('utf8')));
  } catch (error) {
    log.error(`The application's /dapr/subscribe cannot be used: ${(error as Error).message}`);
    return [];
  }
}
