import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import type { OpenPubSub, OpenStateStore } from '../../components/component-places.ts';
import { goAny, goMap, readInto } from '../../go-json/go-type.ts';
import { wholeJson } from '../../go-json/read-json.ts';
import { writeJson } from '../../go-json/write-json.ts';
import type { PublishService } from '../../pubsub/publish/publish-service.ts';
import type { PubSub, PubSubMessage, TopicListener } from '../../pubsub/pubsub.ts';
import type { StateStore } from '../state-store.ts';
import { innerTopic, type StateOutboxSettings } from './state-outbox-settings.ts';

export interface OutboxRelayOptions {
  readonly appId: string;
  readonly namespace: string;
  /** As they are now: they may come and go. */
  readonly state: ReadonlyMap<string, OpenStateStore>;
  readonly brokers: ReadonlyMap<string, OpenPubSub>;
  readonly publishing: PublishService;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One store whose events are taken from the topic inside. */
interface Taking {
  readonly says: string;
  readonly broker: PubSub;
  readonly listener: Promise<TopicListener | undefined>;
}

/** Between looks for a marker: 11 s in all, as long as daprd looks. */
const PAUSES_MS = [50, 200, 750, 1_500, 3_000, 3_000, 2_500];

/**
 * Dapr's transactional outbox, its second half: takes events from the topic inside,
 * and publishes each to the topic that subscribers know when its marker shows that the
 * transaction was written. One that is killed in between publishes again, with the same id.
 */
export class OutboxRelay {
  readonly #options: OutboxRelayOptions;
  readonly #taking = new Map<string, Taking>();
  readonly #closing = new AbortController();

  constructor(options: OutboxRelayOptions) {
    this.#options = options;
  }

  /** Stores or brokers have come, gone or changed. */
  async follow(): Promise<void> {
    const { brokers, log, state } = this.#options;
    for (const [name, { outbox }] of state) {
      if (outbox === undefined) continue;
      const broker = brokers.get(outbox.innerPubsub)?.broker;
      if (broker === undefined) {
        log.warn(
          `could not subscribe to internal outbox topic: outbox pubsub ${outbox.innerPubsub} not loaded`,
        );
        continue;
      }
      const before = this.#taking.get(name);
      const says = JSON.stringify(outbox);
      if (before?.broker === broker && before.says === says) continue;
      const listener = this.#take(name, outbox, broker);
      this.#taking.set(name, { says, broker, listener });
      // Not waited for: what it has in hand may take its time.
      if (before !== undefined) void this.#leave(before);
      await listener;
    }
    for (const [name, taking] of this.#taking) {
      const outbox = state.get(name)?.outbox;
      if (outbox !== undefined && brokers.has(outbox.innerPubsub)) continue;
      this.#taking.delete(name);
      void this.#leave(taking);
    }
  }

  /** What waits for its marker is given back to its broker. */
  close(): void {
    this.#closing.abort(new Error('The sidecar ends.'));
  }

  async #take(
    name: string,
    outbox: StateOutboxSettings,
    broker: PubSub,
  ): Promise<TopicListener | undefined> {
    const { appId, log, namespace } = this.#options;
    const topic = innerTopic(namespace, appId, outbox.topic);
    const handler = (message: PubSubMessage) => this.#pass(name, outbox, message);
    try {
      return await broker.subscribe(topic, handler);
    } catch (error) {
      const why = (error as Error).message;
      log.error(`Nobody subscribes to ${topic} in ${outbox.innerPubsub}: ${why}`);
      return undefined;
    }
  }

  async #leave({ listener }: Taking): Promise<void> {
    // A broker that fails at it gives us no events either.
    await listener.then((one) => one?.close()).catch(() => {});
  }

  /** Rejects where the broker is to have it back. */
  async #pass(name: string, outbox: StateOutboxSettings, message: PubSubMessage): Promise<void> {
    const { log, publishing, state } = this.#options;
    const { pubsub, topic } = outbox;
    const event = readInto(EVENT, wholeJson(message.data.toString('utf8')));
    const marker = String(event.id);
    const open = state.get(name);
    if (open === undefined) {
      throw new Error(`cannot get outbox state: state store ${name} not found`);
    }
    try {
      await this.#find(open.store, marker, outbox);
    } catch (error) {
      const what = `failed to publish outbox topic to pubsub ${pubsub}: ${(error as Error).message}`;
      if (outbox.discardWhenMissing && error instanceof MarkerMissingError) {
        log.error(`${what}, discarding message`);
        return;
      }
      log.error(`${what}, rejecting for later processing`);
      throw error;
    }
    const data = Buffer.from(writeJson({ ...event, topic, pubsubname: pubsub }));
    await publishing.forward(pubsub, topic, { data, metadata: {}, id: marker });
    // Where that fails the broker has it back, and it is published again: at least once.
    await open.store.write([{ kind: 'delete', key: marker }], false);
  }

  async #find(store: StateStore, marker: string, outbox: StateOutboxSettings): Promise<void> {
    const { clock } = this.#options;
    let failure: unknown;
    for (let looks = 0; ; looks += 1) {
      try {
        failure = undefined;
        if ((await store.get(marker)) !== undefined) return;
      } catch (error) {
        failure = error;
      }
      const pauseMs = PAUSES_MS[looks];
      if (pauseMs === undefined) break;
      await clock.sleep(pauseMs, this.#closing.signal);
    }
    throw failure ?? new MarkerMissingError(outbox);
  }
}

const EVENT = goMap(goAny);

/** The transaction was not written: it failed, or the sidecar died before it. */
class MarkerMissingError extends Error {
  override readonly name = 'MarkerMissingError';

  constructor({ pubsub, topic }: StateOutboxSettings) {
    super(
      `cannot publish outbox message to topic ${topic} with pubsub ${pubsub}: outbox state not found`,
    );
  }
}
