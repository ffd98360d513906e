import type { Clock } from '@holdfast/core';
import type { OpenStateStore } from '../../components/component-places.ts';
import { failureWords } from '../../invoke/invoke-error.ts';
import type { PublishService } from '../../pubsub/publish/publish-service.ts';
import { ApiError, errorInfo } from '../../server/api-error.ts';
import type { TraceFacts } from '../../trace/tracing.ts';
import { type Announcement, announcementsOf, type KeyedStep } from './announcements.ts';
import { innerTopic, type StateOutboxSettings } from './state-outbox-settings.ts';

export interface StateOutboxEnv {
  readonly appId: string;
  readonly namespace: string;
  readonly clock: Clock;
  readonly publishing: PublishService;
}

/**
 * Dapr's transactional outbox, its first half: before a transaction is written, an
 * event about each item goes to a topic inside; with the items a marker is written
 * for each event, which tells the relay (`outbox-relay.ts`) that they are there.
 */
export class StateOutbox {
  readonly #env: StateOutboxEnv;

  constructor(env: StateOutboxEnv) {
    this.#env = env;
  }

  /** @throws ApiError where an event cannot be published: then nothing is to be written. */
  async announce(
    { store }: OpenStateStore,
    settings: StateOutboxSettings,
    given: readonly KeyedStep[],
    trace: TraceFacts,
  ): Promise<{ readonly steps: readonly KeyedStep[]; readonly markers: readonly string[] }> {
    const { appId, clock } = this.#env;
    const facts = { ...trace, appId, pubsub: settings.innerPubsub, nowWallMs: clock.wallMs() };
    const { announcements, steps } = announcementsOf(given, facts, store.seal);
    for (const one of announcements) await this.#publish(settings, one);
    return { steps, markers: announcements.map(({ marker }) => marker) };
  }

  async #publish(settings: StateOutboxSettings, { event, marker }: Announcement): Promise<void> {
    const { appId, namespace, publishing } = this.#env;
    const topic = innerTopic(namespace, appId, settings.topic);
    const message = { data: event, metadata: {}, id: marker };
    await publishing.forward(settings.innerPubsub, topic, message).catch((error: unknown) => {
      const why = failureWords(error);
      throw new ApiError(
        500,
        'ERR_PUBLISH_OUTBOX',
        `error while publishing outbox message: ${why}`,
        { details: [errorInfo('DAPR_PUBSUB_OUTBOX', { appID: appId, error: why })], cause: error },
      );
    });
  }
}
