import type { Clock, Pipeline } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { goKind } from '../../go-json/go-kind.ts';
import { isRecord } from '../../resources/resource-files.ts';
import { type Envelope, rawEnvelope } from '../envelope.ts';
import type { PubSubMessage } from '../pubsub.ts';
import type { TopicSubscription } from '../subscribe/subscription.ts';
import type { Courier, Verdict } from './courier.ts';
import { DeliveryError } from './delivery-error.ts';

export interface DeliveryOptions {
  readonly courier: Courier;
  readonly clock: Clock;
  readonly log: Logger;
  /** The inbound policies of a component; undefined where there are none. */
  readonly inbound: (pubsub: string) => Pipeline | undefined;
  /** Publishes to a dead letter topic, past scopes and envelopes; rejects where one of them did not get there. */
  readonly bury: (topic: string, messages: readonly PubSubMessage[]) => Promise<void>;
  readonly count: (pubsub: string, topic: string, status: DeliveryStatus, ms: number) => void;
  /** A bulk was brought: how its entries ended. */
  readonly countBulk: (
    pubsub: string,
    topic: string,
    entries: Readonly<Record<DeliveryStatus, number>>,
    ms: number,
  ) => void;
}

/** What became of a delivery. */
export type DeliveryStatus = Verdict | 'retry';

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
  const { clock, count, log } = options;
  const begunMs = clock.now();
  let error: Error | undefined;
  let status: DeliveryStatus;
  try {
    status = await offer(subscription, message, options, given);
  } catch (thrown) {
    error = thrown as Error;
    status = 'retry';
  }
  const ms = clock.now() - begunMs;
  if (status === 'success' || deadLetterTopic === '') count(pubsub, topic, status, ms);
  if (status === 'success') return;
  if (deadLetterTopic !== '') {
    // What is with the dead letters has been dropped, whyever; else it comes again.
    await options.bury(deadLetterTopic, [message]).then(
      () => count(pubsub, topic, 'drop', ms),
      (failed: unknown) => {
        count(pubsub, topic, 'retry', ms);
        throw failed;
      },
    );
    const why = error?.message ?? 'the application did not want it';
    log.warn(`An event of ${topic} in ${pubsub} went to ${deadLetterTopic}: ${why}`);
  } else if (error !== undefined) throw error;
}

/** Through the inbound policies; throws when they have given up. */
async function offer(
  subscription: TopicSubscription,
  message: PubSubMessage,
  { clock, courier, inbound }: DeliveryOptions,
  given: AbortSignal | undefined,
): Promise<Verdict> {
  const { pubsub, topic } = subscription;
  const event = eventOf(subscription, message);
  const path = pathFor(subscription, event, clock.wallMs());
  if (path === undefined) return 'drop';
  const { metadata, topic: came = topic } = message;
  const once = (signal?: AbortSignal) =>
    courier.bring({ pubsub, topic: came, path, event, metadata }, signal);
  const pipeline = inbound(pubsub);
  return pipeline === undefined
    ? await once(given)
    : await pipeline.execute(({ signal }) => once(signal), given && { signal: given });
}

function eventOf(
  { metadata, pubsub, topic }: TopicSubscription,
  { data, topic: came = topic }: PubSubMessage,
): Envelope {
  if (metadata.rawPayload === 'true') return rawEnvelope(data, pubsub, came);
  const event: unknown = JSON.parse(data.toString('utf8'));
  if (!isRecord(event)) throw new DeliveryError(`no CloudEvent, but JSON of type ${goKind(event)}`);
  return event;
}

/** Empty where there is none: the topic itself is none, an event would go round in circles. */
export const deadLetterTopicOf = ({ deadLetterTopic, topic }: TopicSubscription): string =>
  deadLetterTopic === topic ? '' : deadLetterTopic;

/** Undefined where nobody takes it: no rule does, or its time is over. */
export function pathFor(
  { rules }: TopicSubscription,
  event: Envelope,
  nowWallMs: number,
): string | undefined {
  const expiration = event.expiration;
  if (typeof expiration === 'string' && Date.parse(expiration) < nowWallMs) return undefined;
  return rules.find((rule) => rule.takes(event))?.path;
}
