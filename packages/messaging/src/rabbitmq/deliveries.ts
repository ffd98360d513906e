import { newMessageId } from '../accept/message-id.ts';
import type { Message, OutgoingMessage } from '../message.ts';
import { tooLarge } from '../too-large.ts';
import type { AmqpDelivery, AmqpPublishOptions } from './module.ts';

/** Ours among the headers; the rest are the message's own. */
const KEY = 'holdfast-key';

/** What RabbitMQ adds on the way. */
const BROKERS_OWN = /^x-(?:delivery-count|acquired-count|death|(?:first|last)-death-.*)$/;

export function publishOptionsOf(
  { id, key, headers }: OutgoingMessage,
  mandatory: boolean,
): AmqpPublishOptions {
  return {
    persistent: true,
    mandatory,
    messageId: id,
    headers: key === undefined ? { ...headers } : { ...headers, [KEY]: key },
  };
}

/** A message of a publisher that gave it no `message-id` gets a new id at each delivery. */
export function messageOf(
  { content, properties }: AmqpDelivery,
  topic: string,
  wallMs: number,
): Message {
  const named: Record<string, string> = {};
  for (const [name, value] of Object.entries(properties.headers ?? {})) {
    if (!BROKERS_OWN.test(name)) named[name] = textOfHeader(value);
  }
  const { [KEY]: key, ...headers } = named;
  const { messageId } = properties;
  const id = typeof messageId === 'string' && messageId !== '' ? messageId : newMessageId(wallMs);
  return { id, topic, key, body: content, headers };
}

/** AMQP has tables, lists, bytes and times as well: what is no text is JSON. */
function textOfHeader(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return value.toString();
  return JSON.stringify(value) ?? String(value);
}

/**
 * How often a quorum queue has delivered it before; 0 from a classic one, which does not count. By what RabbitMQ says of
 * itself, since 4.3 what came back from a lost connection is in the second alone.
 */
export function earlierDeliveries({ properties: { headers } }: AmqpDelivery): number {
  const counts = [headers?.['x-delivery-count'], headers?.['x-acquired-count']].map(Number);
  return Math.max(0, ...counts.filter(Number.isSafeInteger));
}

/** Why RabbitMQ would refuse an exchange of this name; undefined if it takes it. */
export function topicProblem(topic: string): string | undefined {
  const bytes = Buffer.byteLength(topic);
  if (bytes === 0 || bytes > 255) return `the topic has ${bytes} bytes, and AMQP allows 1 to 255`;
  if (topic.startsWith('amq.')) return 'names that begin with amq. belong to RabbitMQ';
  return undefined;
}

/** An id may have 255 characters, which can be more bytes than `message-id` holds. */
export function idProblem(id: string): string | undefined {
  const bytes = Buffer.byteLength(id);
  return bytes > 255 ? `the id has ${bytes} bytes, and AMQP allows 255` : undefined;
}

/** What RabbitMQ closed the channel for, where no second attempt will change it. */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  if (error.code === 406) {
    // As it says itself: `message size 1100000 is larger than configured max size 1048576`.
    const [, bytes, most] = /message size (\d+) is larger than .*?(\d+)/i.exec(error.message) ?? [];
    if (bytes !== undefined) {
      return tooLarge(Number(bytes), Number(most), 'max_message_size of RabbitMQ');
    }
    return `the exchange is there with other properties: ${error.message}`;
  }
  if (error.code === 403) return `this user may not publish there: ${error.message}`;
  return undefined;
}
