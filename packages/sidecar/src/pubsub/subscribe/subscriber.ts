import type { OpenPubSub } from '../../components/open-components.ts';
import type { Courier } from '../deliver/courier.ts';
import type { TopicListener } from '../pubsub.ts';
import { LiveSubscription, type LiveSubscriptionOptions } from './live-subscription.ts';
import type { TopicSubscription } from './subscription.ts';

export interface SubscriberOptions extends LiveSubscriptionOptions {
  /** To the application, in the protocol it speaks. */
  readonly courier: Courier;
  /** What the application wants, when it is asked, once. Never rejects. */
  readonly ask: () => Promise<readonly TopicSubscription[]>;
  /** As they are now: they may come and go. */
  readonly brokers: ReadonlyMap<string, OpenPubSub>;
  /** Those of the resources. */
  readonly declared: readonly TopicSubscription[];
}

/** Asks the application what it wants, and subscribes to that and to what the resources say. */
export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #active = new Set<LiveSubscription>();
  #declared: readonly TopicSubscription[];
  /** What the application said when it was asked; undefined before. */
  #asked: readonly TopicSubscription[] | undefined;
  readonly #leaving = new AbortController();
  /** No more events, for good. */
  #resting = false;
  /** No more events to the application, until it is started again. */
  #suspended = false;
  /** By broker and topic: that of the last settling, which is known before it is up. */
  #wanted: ReadonlyMap<string, TopicSubscription>;
  #started: Promise<void> | undefined;
  #turn = Promise.resolve();

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#declared = options.declared;
    this.#wanted = wantedOf(options.declared, []);
  }

  /** Aborts when the sidecar stops: who streams events ends, when what is in hand has. */
  get leaving(): AbortSignal {
    return this.#leaving.signal;
  }

  /** For the metadata, as in Dapr: what is wanted, whether or not it can be had, and streams. */
  get subscriptions(): readonly TopicSubscription[] {
    const streams = this.#said().filter(({ type }) => type === 'STREAMING');
    return [...this.#wanted.values(), ...streams];
  }

  /**
   * To be called when the application is there; only the first time does something, and the first
   * after `suspend`. What is wrong with one subscription is logged and leaves the others alone.
   */
  start(): Promise<void> {
    if (this.#suspended) {
      this.#suspended = false;
      this.#started = this.#settle();
    }
    this.#started ??= this.#settle();
    return this.#started;
  }

  /**
   * The application is not well: its events wait at their brokers, or go to another of its group,
   * until `start`. What it has in hand and does not take goes back; streams are another's affair.
   */
  suspend(): void {
    if (this.#resting) return;
    this.#suspended = true;
    for (const live of this.#active) {
      if (live.subscription.type === 'STREAMING') continue;
      this.#active.delete(live);
      // A broker that fails at it gives us no events either.
      void live.close().catch(() => {});
    }
  }

  /**
   * The resources say something else now, or brokers have come or gone. What is
   * in the application's hand ends as it would have; a topic that stays misses nothing.
   */
  declare(declared: readonly TopicSubscription[]): Promise<void> {
    this.#declared = declared;
    if (this.#started !== undefined) return this.#settle();
    this.#wanted = wantedOf(declared, []);
    return Promise.resolve();
  }

  /** There is no application: nobody will subscribe. */
  nobody(): void {
    for (const { broker } of this.#options.brokers.values()) broker.subscribed?.();
  }

  /** Takes no more events from any broker, for good; publishing goes on, and what the application has in hand ends as it would have. */
  rest(): void {
    this.#resting = true;
    this.#pause();
    for (const live of this.#active) {
      // A broker that fails at it gives us no events either.
      void live.close().catch(() => {});
    }
  }

  /** The sidecar stops: no event waits for others any more. */
  hurry(): void {
    this.#leaving.abort();
    this.#pause();
    for (const live of this.#active) live.hurry();
  }

  /** Those that have nothing to keep go on: others publish through them. */
  #pause(): void {
    const brokers = new Set([...this.#active].map(({ broker }) => broker));
    for (const broker of brokers) broker?.pause?.();
  }

  /**
   * Subscribes, for whoever `courier` leads to. Resolves with how to end it;
   * undefined, after a line in the log, where it cannot be.
   */
  async add(
    subscription: TopicSubscription,
    courier: Courier = this.#options.courier,
  ): Promise<TopicListener | undefined> {
    const open = this.#resting ? undefined : this.#allowed(subscription);
    if (open === undefined || this.#known(subscription)) return undefined;
    const live = new LiveSubscription(subscription, courier, this.#options);
    if (this.leaving.aborted) live.hurry();
    this.#active.add(live);
    if (!(await this.#join(live, open))) {
      this.#active.delete(live);
      return undefined;
    }
    return {
      close: () => {
        this.#active.delete(live);
        return live.close();
      },
    };
  }

  /** Brings what is up in line with what is wanted, one change after the other. */
  #settle(): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      const { ask, brokers } = this.#options;
      if (this.#resting) return;
      if (brokers.size > 0) this.#asked ??= await ask();
      const wanted = wantedOf(this.#declared, this.#asked ?? []);
      for (const live of this.#active) await this.#follow(live, wanted);
      // What it wants is known all the same.
      if (this.#suspended) {
        this.#wanted = knownFirst(wanted, this.#wanted);
        return;
      }
      // Side by side: in Kafka each member that joins has the others of its group begin anew.
      if (brokers.size > 0) {
        const all = [...wanted.values()];
        const begun = await Promise.all(all.map((one) => this.add(one)));
        this.#tell(all.filter((_, at) => begun[at] !== undefined));
      }
      this.#wanted = knownFirst(wanted, this.#wanted);
      this.nobody();
    });
    return this.#turn;
  }

  /** In daprd's words, which operators look for. */
  #tell(begun: readonly TopicSubscription[]): void {
    for (const [pubsub, some] of Map.groupBy(begun, (one) => one.pubsub)) {
      const topics = some.map(({ topic }) => topic).join(' ');
      this.#options.log.info(
        `app is subscribed to the following topics: [[${topics}]] through pubsub=${pubsub}`,
      );
    }
  }

  /** One that is up: stays, changes, or ends. Streams end by themselves, with the application's. */
  async #follow(
    live: LiveSubscription,
    wanted: ReadonlyMap<string, TopicSubscription>,
  ): Promise<void> {
    const { subscription } = live;
    const { brokers, log } = this.#options;
    const { pubsub, topic, type } = subscription;
    const now = type === 'STREAMING' ? subscription : wanted.get(keyOf(subscription));
    const open = brokers.get(pubsub);
    if (now === undefined || open?.scopes.maySubscribe(topic) !== true) {
      this.#active.delete(live);
      log.info(`The subscription to ${topic} in ${pubsub} has ended.`);
      // Not waited for: the application may have an event in hand for as long as it likes.
      void live.close().catch((error: Error) => {
        log.warn(`The subscription to ${topic} in ${pubsub} ended badly: ${error.message}`);
      });
      return;
    }
    // What is compared is what a file can say; a rule's function is made of its text.
    if (JSON.stringify(subscription) !== JSON.stringify(now)) {
      live.change(now);
      log.info(`The subscription to ${topic} in ${pubsub} has changed.`);
    }
    if (live.broker === open.broker && !live.isOutdated) return;
    if (!(await this.#join(live, open))) this.#active.delete(live);
  }

  async #join(live: LiveSubscription, open: OpenPubSub): Promise<boolean> {
    try {
      await live.join(open);
      return true;
    } catch (error) {
      const { pubsub, topic } = live.subscription;
      const why = (error as Error).message;
      this.#options.log.error(`Nobody subscribes to ${topic} in ${pubsub}: ${why}`);
      return false;
    }
  }

  /** Said twice, the first counts, as in Dapr; streams may share a topic. */
  #known(given: TopicSubscription): boolean {
    if (given.type === 'STREAMING') return false;
    return this.#said().some((one) => one.type !== 'STREAMING' && keyOf(one) === keyOf(given));
  }

  /** What those that are up say. */
  #said(): readonly TopicSubscription[] {
    return [...this.#active].map(({ subscription }) => subscription);
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

const keyOf = ({ pubsub, topic }: TopicSubscription): string => JSON.stringify([pubsub, topic]);

/** By broker and topic. Of several files the first counts; over a file, what the application says: as in Dapr. */
function wantedOf(
  declared: readonly TopicSubscription[],
  asked: readonly TopicSubscription[],
): ReadonlyMap<string, TopicSubscription> {
  const wanted = new Map<string, TopicSubscription>();
  for (const one of declared) {
    if (!wanted.has(keyOf(one))) wanted.set(keyOf(one), one);
  }
  for (const one of asked) wanted.set(keyOf(one), one);
  return wanted;
}

/** Those that are new come last in the metadata, as in daprd's. */
function knownFirst<T>(wanted: ReadonlyMap<string, T>, before: ReadonlyMap<string, T>) {
  const inOrder = [...wanted].sort(([a], [b]) => Number(before.has(b)) - Number(before.has(a)));
  return new Map(inOrder);
}
