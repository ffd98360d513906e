import {
  type AmqpDelivery,
  type AmqpPublishOptions,
  type QueueLayout,
  type RabbitLayout,
  rabbitMessageOf,
} from '@holdfast/messaging/rabbitmq';
import { isTrue } from '../../../components/is-true.ts';
import { checkRange, readWhole } from '../../../components/whole-number.ts';
import { messageTtlMs } from '../../message-ttl.ts';
import type { RabbitPubSubSettings } from './rabbit-pubsub-settings.ts';

type Metadata = Readonly<Record<string, string>>;

/** Milliseconds; RabbitMQ takes no more. */
const LONGEST_TTL_MS = 2 ** 32 - 1;
const MOST_PRIORITY = 255;

/**
 * Dapr's way with RabbitMQ: what an event's metadata say of `routingKey`,
 * `priority`, `ttlInSeconds`, `messageID`, `correlationID`, `type` and
 * `contentType` are its properties, and what a subscription's metadata say are
 * those of its queue, declared to the letter, since a queue that is there with
 * others is refused.
 */
export function rabbitLayout(settings: RabbitPubSubSettings): RabbitLayout {
  return {
    exchangeKind: settings.exchangeKind,
    publishingOf: ({ headers }) => ({
      routingKey: headers.routingKey ?? '',
      options: propertiesOf(headers, settings),
    }),
    queueOf: (topic, { details = {}, group }) =>
      queueOf(details.queueName || `${group}-${topic}`, details, settings),
    messageOf(delivery, topic, wallMs) {
      const message = rabbitMessageOf(delivery, topic, wallMs);
      if (!settings.tellsProperties) return message;
      return { ...message, headers: { ...message.headers, ...told(delivery, message.headers) } };
    },
  };
}

function propertiesOf(
  metadata: Metadata,
  { persistent, ttlMs: byDefault }: RabbitPubSubSettings,
): Partial<AmqpPublishOptions> {
  const ttlMs = messageTtlMs(metadata) ?? byDefault;
  const priority = /^[+-]?\d+$/.test(metadata.priority ?? '')
    ? Number(metadata.priority)
    : undefined;
  return {
    persistent,
    contentType: property(metadata, 'contentType') ?? 'text/plain',
    ...given('expiration', ttlMs && String(Math.min(Math.round(ttlMs), LONGEST_TTL_MS))),
    ...given('priority', priority && Math.min(Math.max(0, priority), MOST_PRIORITY)),
    // No longer than AMQP's short texts; a longer one stays among the headers.
    ...given('messageId', short(property(metadata, 'messageID'))),
    ...given('correlationId', short(property(metadata, 'correlationID'))),
    ...given('type', short(property(metadata, 'type'))),
  };
}

function queueOf(name: string, details: Metadata, settings: RabbitPubSubSettings): QueueLayout {
  const limits = {
    ...given('x-max-length', settings.maxLength),
    ...given('x-max-length-bytes', settings.maxLengthBytes),
  };
  const dead = settings.deadLetters ? { exchange: `dlx-${name}`, queue: `dlq-${name}` } : undefined;
  const maxPriority = count(details, 'maxPriority');
  const queueType = details.queueType || 'classic';
  if (queueType !== 'classic' && queueType !== 'quorum') {
    throw new Error(`metadata queueType must be classic or quorum, not "${queueType}"`);
  }
  if (queueType === 'quorum' && (!settings.durable || settings.deletedWhenUnused)) {
    throw new Error(
      'metadata queueType quorum needs durable "true" and deletedWhenUnused "false" in the component',
    );
  }
  return {
    name,
    arguments: {
      ...limits,
      ...given('x-dead-letter-exchange', dead?.exchange),
      ...given('x-max-priority', maxPriority && Math.min(maxPriority, MOST_PRIORITY)),
      'x-queue-type': queueType,
      ...(isTrue(details.singleActiveConsumer) ? { 'x-single-active-consumer': true } : {}),
      ...given('x-max-length-bytes', count(details, 'maxLenBytes')),
      ...given('x-max-length', count(details, 'maxLen')),
    },
    routingKeys: (details.routingKey ?? '').split(','),
    forgetsFailures: settings.forgetsFailures,
    ...(dead && {
      deadLetters: {
        ...dead,
        arguments: { ...limits, 'x-queue-mode': 'lazy' },
        // A quorum queue, where the virtual host makes such by default: lazy in itself, and refuses the word.
        orArguments: limits,
      },
    }),
  };
}

/** As Dapr names them. */
function told({ properties }: AmqpDelivery, headers: Metadata): Metadata {
  const { contentType, correlationId, messageId, type } = properties;
  const all = {
    ...headers,
    ...given('messageid', messageId),
    ...given('correlationid', correlationId),
    ...given('type', type),
    ...given('contenttype', contentType),
  };
  return Object.fromEntries(
    Object.entries(all).map(([name, value]) => [`metadata.${name}`, String(value)]),
  );
}

/** In any letter case, as Dapr looks for these. */
function property(metadata: Metadata, name: string): string | undefined {
  const lower = name.toLowerCase();
  const found = Object.keys(metadata).find((one) => one.toLowerCase() === lower);
  return (found === undefined ? undefined : metadata[found]) || undefined;
}

const short = (text: string | undefined): string | undefined =>
  text === undefined || Buffer.byteLength(text) > 255 ? undefined : text;

/** @throws Error for what is no number of things. */
function count(details: Metadata, name: string): number | undefined {
  const where = `metadata ${name}`;
  const value = readWhole(where, details[name]);
  if (value !== undefined) checkRange(where, value, { byDefault: 0, least: 0 });
  return value;
}

const given = <T>(name: string, value: T | undefined): Record<string, T> =>
  value === undefined || value === '' ? {} : { [name]: value };
