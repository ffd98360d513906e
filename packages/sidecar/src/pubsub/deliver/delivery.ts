import type { Clock, Pipeline } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import type { SeenEvent } from '../envelope.ts';
import type { PubSubMessage } from '../pubsub.ts';
import type { TopicSubscription } from '../subscribe/subscription.ts';
import type { Courier, Verdict } from './courier.ts';
import { receivedEvent } from './received-event.ts';

export interface DeliveryOptions {
  readonly courier: Courier;
  readonly clock: Clock;
  readonly log: Logger;
  /** The inbound policies of a component; undefined where there are none. */
  readonly inbound: (pubsub: string) => Pipeline | undefined;
  /** Publishes to a dead letter topic, as they are; rejects where one of them did not get there. */
  readonly bury: (topic: string, messages: readonly PubSubMessage[]) => Promise<void>;
  /** Whether the subscription is over: what fails now goes back to the broker, and is no dead letter. */
  readonly ended: () => boolean;
  readonly count: CountDelivery;
  /** A bulk was brought: how its entries ended. */
  readonly countBulk: (
    pubsub: string,
    topic: string,
    entries: Readonly<Record<DeliveryStatus, number>>,
    ms: number,
  ) => void;
}

/** What became of a delivery. */
export type DeliveryStatus = 'success' | 'drop' | 'retry';

/**
 * Once for every attempt, which has a time, and once for an end that no attempt
 * had, which has none. `said` is the application's part in it: what it dropped
 * itself was a success.
 */
export type CountDelivery = (
  pubsub: string,
  topic: string,
  status: DeliveryStatus,
  said: DeliveryStatus,
  ms: number | undefined,
) => void;

/**
 * Hands a message to the application, as Dapr does. Rejects where the broker is
 * to have it back; `given` aborts when the broker waits no longer.
 */
export async function deliver(
  subscription: TopicSubscription,
  message: PubSubMessage,
  options: DeliveryOptions,
  given?: AbortSignal,
): Promise<void> {
  const { pubsub, topic } = subscription;
  const deadLetterTopic = deadLetterTopicOf(subscription);
  const { count, log } = options;
  let error: Error | undefined;
  try {
    if ((await offer(subscription, message, options, given)) === 'success') return;
  } catch (thrown) {
    error = thrown as Error;
  }
  if (deadLetterTopic === '' || (error !== undefined && options.ended())) {
    if (error === undefined) return;
    count(pubsub, topic, 'retry', 'retry', undefined);
    throw error;
  }
  try {
    await options.bury(deadLetterTopic, [message]);
  } catch (failed) {
    count(pubsub, topic, 'retry', 'retry', undefined);
    throw failed;
  }
  // What was dropped before has been counted then.
  if (error !== undefined) count(pubsub, topic, 'drop', 'drop', undefined);
  const why = error?.message ?? 'the application did not want it';
  log.warn(`An event of ${topic} in ${pubsub} went to ${deadLetterTopic}: ${why}`);
}

/** Through the inbound policies; throws when they have given up. */
async function offer(
  subscription: TopicSubscription,
  message: PubSubMessage,
  { clock, count, courier, inbound }: DeliveryOptions,
  given: AbortSignal | undefined,
): Promise<Verdict> {
  const { pubsub, topic } = subscription;
  const { body, event } = receivedEvent(subscription, message);
  const nowWallMs = clock.wallMs();
  const path = pathFor(subscription, event, nowWallMs);
  if (path === undefined) {
    count(pubsub, topic, 'drop', hasExpired(event, nowWallMs) ? 'drop' : 'success', undefined);
    return 'drop';
  }
  const { metadata } = message;
  const once = async (signal?: AbortSignal): Promise<Verdict> => {
    const begunMs = clock.now();
    const done = (status: DeliveryStatus, said: DeliveryStatus = status): void =>
      count(pubsub, topic, status, said, clock.now() - begunMs);
    try {
      const by = message.topic ?? topic;
      const verdict = await courier.bring(
        { pubsub, topic: by, path, event, body, metadata },
        signal,
      );
      if (verdict === 'success') done('success');
      else done('drop', verdict === 'drop' ? courier.countsDropAs : 'drop');
      return verdict;
    } catch (error) {
      done('retry');
      throw error;
    }
  };
  const pipeline = inbound(pubsub);
  return pipeline === undefined
    ? await once(given)
    : await pipeline.execute(({ signal }) => once(signal), given && { signal: given });
}

/** Empty where there is none: the topic itself is none, an event would go round in circles. */
export const deadLetterTopicOf = ({ deadLetterTopic, topic }: TopicSubscription): string =>
  deadLetterTopic === topic ? '' : deadLetterTopic;

/** Undefined where nobody takes it: no rule does, or its time is over. */
export function pathFor(
  { rules }: TopicSubscription,
  event: SeenEvent,
  nowWallMs: number,
): string | undefined {
  if (hasExpired(event, nowWallMs)) return undefined;
  return rules.find((rule) => rule.takes(event))?.path;
}

function hasExpired(event: SeenEvent, nowWallMs: number): boolean {
  const expiration = typeof event === 'string' ? undefined : event.expiration;
  return typeof expiration === 'string' && Date.parse(expiration) < nowWallMs;
}
