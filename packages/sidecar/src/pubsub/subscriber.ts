import type { Logger } from '@holdfast/telemetry/log';
import type { AskApp } from '../app/ask-app.ts';
import type { OpenPubSub } from '../components/open-components.ts';
import { type DeliveryOptions, deliver } from './delivery.ts';
import { programmatic, type TopicSubscription } from './subscription.ts';

export interface SubscriberOptions extends Omit<DeliveryOptions, 'bury'> {
  readonly appId: string;
  readonly brokers: ReadonlyMap<string, OpenPubSub>;
  /** Those of the resources. */
  readonly declared: readonly TopicSubscription[];
}

/** Asks the application what it wants, and subscribes to that and to what the resources say. */
export class Subscriber {
  readonly #options: SubscriberOptions;
  #active: TopicSubscription[] = [];
  #started: Promise<void> | undefined;

  constructor(options: SubscriberOptions) {
    this.#options = options;
  }

  /** For the metadata. */
  get active(): readonly TopicSubscription[] {
    return this.#active;
  }

  /**
   * To be called when the application is there; only the first time does
   * something. What is wrong with one subscription is logged and leaves the others alone.
   */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  async #start(): Promise<void> {
    const { ask, brokers, declared, log } = this.#options;
    if (brokers.size === 0) return;
    const wanted = [...declared, ...(await asked(ask, log))];
    // Said twice, the first counts, as in Dapr.
    const first = wanted.filter(
      ({ pubsub, topic }, at) =>
        wanted.findIndex((one) => one.pubsub === pubsub && one.topic === topic) === at,
    );
    // Side by side: in Kafka each member that joins has the others of its group begin anew.
    await Promise.all(first.map((one) => this.#subscribe(one)));
  }

  async #subscribe(subscription: TopicSubscription): Promise<void> {
    const { appId, brokers, log } = this.#options;
    const { pubsub, topic } = subscription;
    const open = brokers.get(pubsub);
    if (open === undefined) {
      log.error(`Nobody subscribes to ${topic}: pubsub ${pubsub} is not found.`);
      return;
    }
    if (!open.scopes.maySubscribe(topic)) {
      log.error(
        `Nobody subscribes to ${topic}: it is not allowed for app id ${appId} in pubsub ${pubsub}.`,
      );
      return;
    }
    const options: DeliveryOptions = {
      ...this.#options,
      bury: (dead, message) => open.broker.publish(dead, message),
    };
    this.#active.push(subscription);
    try {
      await open.broker.subscribe(topic, (message, signal) =>
        deliver(subscription, message, options, signal),
      );
    } catch (error) {
      this.#active = this.#active.filter((one) => one !== subscription);
      log.error(`Nobody subscribes to ${topic} in pubsub ${pubsub}: ${(error as Error).message}`);
    }
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
