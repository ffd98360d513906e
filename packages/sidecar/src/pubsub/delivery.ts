import type { Clock, Pipeline } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import type { AppAnswer, AskApp } from '../app/ask-app.ts';
import { isHopByHop } from '../flow/hop-by-hop.ts';
import { at } from '../resources/resource-files.ts';
import { DeliveryError } from './delivery-error.ts';
import { CLOUD_EVENTS, type Envelope, rawEnvelope } from './envelope.ts';
import type { PubSubMessage } from './pubsub.ts';
import type { TopicSubscription } from './subscription.ts';

export interface DeliveryOptions {
  readonly ask: AskApp;
  readonly clock: Clock;
  readonly log: Logger;
  /** The inbound policies of a component; undefined where there are none. */
  readonly inbound: (pubsub: string) => Pipeline | undefined;
  /** Publishes to a dead letter topic, past scopes and envelopes. */
  readonly bury: (topic: string, message: PubSubMessage) => Promise<void>;
  readonly count: (pubsub: string, topic: string, status: DeliveryStatus, ms: number) => void;
}

/** What became of a delivery. */
export type DeliveryStatus = 'success' | 'retry' | 'drop';

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
  const { deadLetterTopic, pubsub, topic } = subscription;
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
  count(pubsub, topic, status, clock.now() - begunMs);
  if (status === 'success') return;
  if (deadLetterTopic !== '') {
    await options.bury(deadLetterTopic, message);
    const why = error?.message ?? 'the application did not want it';
    log.warn(`An event of ${topic} in ${pubsub} went to ${deadLetterTopic}: ${why}`);
  } else if (error !== undefined) throw error;
}

/** Through the inbound policies; throws when they have given up. */
async function offer(
  subscription: TopicSubscription,
  message: PubSubMessage,
  { ask, clock, inbound }: DeliveryOptions,
  given: AbortSignal | undefined,
): Promise<'success' | 'drop'> {
  const { pubsub } = subscription;
  const event = eventOf(subscription, message);
  const path = pathFor(subscription, event, clock.wallMs());
  if (path === undefined) return 'drop';
  const once = (signal?: AbortSignal) => post(ask, path, pubsub, event, message, signal);
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
  return JSON.parse(data.toString('utf8')) as Envelope;
}

/** Undefined where nobody takes it: no rule does, or its time is over. */
function pathFor(
  { rules }: TopicSubscription,
  event: Envelope,
  nowWallMs: number,
): string | undefined {
  const expiration = event.expiration;
  if (typeof expiration === 'string' && Date.parse(expiration) < nowWallMs) return undefined;
  return rules.find((rule) => rule.takes(event))?.path;
}

async function post(
  ask: AskApp,
  path: string,
  pubsub: string,
  event: Envelope,
  { metadata }: PubSubMessage,
  signal: AbortSignal | undefined,
): Promise<'success' | 'drop'> {
  const body = Buffer.from(JSON.stringify(event));
  const headers = ['content-type', CLOUD_EVENTS, 'content-length', String(body.length)];
  for (const [given, value] of Object.entries({ ...metadata, pubsubName: pubsub })) {
    const name = given.toLowerCase();
    if (isOurs(name) || !/^[\w.-]+$/.test(name) || !/^[\x20-\x7e]*$/.test(value)) continue;
    headers.push(name, value);
  }
  const trace = event.traceparent;
  if (typeof trace === 'string' && /^[\da-f-]+$/.test(trace)) headers.push('traceparent', trace);
  const full = path.startsWith('/') ? path : `/${path}`;
  const answer = await ask({ method: 'POST', path: full, headers, body }, signal);
  return verdict(answer, String(event.id));
}

/** Metadata is the publisher's to choose; the framing of our request and its trace are not. */
const isOurs = (name: string): boolean =>
  isHopByHop(name) || /^(?:content-(?:length|type|encoding)|dapr-.*|traceparent)$/.test(name);

/** What the answer says, in Dapr's words; 404 means that nobody will ever want it. */
function verdict({ body, status }: AppAnswer, id: string): 'success' | 'drop' {
  if (status === 404) return 'drop';
  const about = `while processing pub/sub event ${id}`;
  if (status < 200 || status >= 300) {
    const text = body.toString('utf8').slice(0, 200);
    throw new DeliveryError(
      `retriable error returned from app ${about}, body: ${text}. status code returned: ${status}`,
      status,
    );
  }
  switch (statusIn(body)) {
    case '':
    case 'SUCCESS':
      return 'success';
    case 'DROP':
      return 'drop';
    case 'RETRY':
      throw new DeliveryError(`RETRY status returned from app ${about}: retriable error occurred`);
    default:
      throw new DeliveryError(`unknown status returned from app ${about}`);
  }
}

/** Empty where the body says nothing about it: then all is well. */
function statusIn(body: Buffer): string {
  if (body.length === 0) return '';
  try {
    return String(at(JSON.parse(body.toString('utf8')), 'status') ?? '');
  } catch {
    // A body that is no JSON is a success as well.
    return '';
  }
}
