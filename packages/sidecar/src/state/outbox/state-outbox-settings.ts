import type { Logger } from '@holdfast/telemetry/log';
import type { ComponentSettings } from '../../components/component-settings.ts';

/** Where what a transaction writes is told, as a state store's metadata say. */
export interface StateOutboxSettings {
  /** The broker and topic that subscribers know. */
  readonly pubsub: string;
  readonly topic: string;
  /** The broker that carries an event until its transaction is known to have happened. */
  readonly innerPubsub: string;
  /** An event whose transaction did not happen is given up; else its broker has it back. */
  readonly discardWhenMissing: boolean;
}

/** Undefined where a store tells nobody, as one does of which only half is said: with a line in the log. */
export function stateOutboxSettings(
  settings: ComponentSettings,
  log: Logger,
): StateOutboxSettings | undefined {
  const pubsub = settings.text('outboxPublishPubsub');
  const topic = settings.text('outboxPublishTopic');
  if (pubsub === undefined || topic === undefined) {
    if (pubsub !== topic) {
      const missing = pubsub === undefined ? 'outboxPublishPubsub' : 'outboxPublishTopic';
      log.warn(
        `State store ${settings.component} publishes nothing of its transactions: metadata ${missing} is missing.`,
      );
    }
    return undefined;
  }
  return {
    pubsub,
    topic,
    innerPubsub: settings.text('outboxPubsub') ?? pubsub,
    discardWhenMissing: settings.flag('outboxDiscardWhenMissingState'),
  };
}

/** Dapr's name of the topic, so that replicas of either make share its events. */
export const innerTopic = (namespace: string, appId: string, topic: string): string =>
  `${namespace}${appId}${topic}outbox`;
