import type { Message, OutgoingMessage } from '../message.ts';
import type { KafkaLayout } from './layout.ts';
import type { KafkaMessage, KafkaRecord } from './module.ts';

const ID = 'holdfast-id';

export function recordOf({ id, topic, key, body, headers }: OutgoingMessage): KafkaRecord {
  const pairs = Object.entries({ ...headers, [ID]: id });
  return {
    topic,
    ...(key === undefined ? {} : { key: Buffer.from(key) }),
    value: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    headers: new Map(pairs.map(([name, value]) => [Buffer.from(name), Buffer.from(value)])),
  };
}

/** A record from a producer that is not ours has no id: where it lies names it, at each delivery alike. */
export function messageOf({
  topic,
  partition,
  offset,
  key,
  value,
  headers,
}: KafkaMessage): Message {
  const named: Record<string, string> = {};
  for (const [name, content] of headers) named[name.toString()] = content.toString();
  const { [ID]: id, ...rest } = named;
  return {
    id: id ?? `${topic}/${partition}/${offset}`,
    topic,
    key: key?.toString(),
    body: value ?? Buffer.alloc(0),
    headers: rest,
  };
}

/** The id travels as a header; the key chooses the partition as Java's clients would. */
export const holdfastLayout: KafkaLayout = { recordOf, messageOf };

/** Why Kafka would refuse the topic's name; undefined if it takes it. */
export function topicProblem(topic: string): string | undefined {
  if (/^[a-zA-Z0-9._-]{1,249}$/.test(topic) && topic !== '.' && topic !== '..') return undefined;
  return 'Kafka allows 1 to 249 letters, digits, dots, underscores and hyphens in a topic';
}

/** A record was meant for a partition that its topic does not have. */
export class PartitionError extends Error {
  constructor(partition: number, partitions: number) {
    super(`partition number ${partition} is out of range, topic has ${partitions} partitions`);
    this.name = 'PartitionError';
  }
}

const REJECTIONS: Readonly<Record<string, string>> = {
  MESSAGE_TOO_LARGE: 'it is larger than the broker takes (message.max.bytes)',
  RECORD_LIST_TOO_LARGE: 'it is larger than a segment of the broker (segment.bytes)',
  INVALID_TOPIC_EXCEPTION: 'the broker does not accept the topic',
  INVALID_RECORD: 'the broker does not accept the record (a compacted topic needs a key)',
  TOPIC_AUTHORIZATION_FAILED: 'this client may not write to the topic',
};

/** Looks through the client's nested errors for one that no second attempt will change. */
export function rejectionOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof PartitionError) return error.message;
  const apiId = 'apiId' in error && typeof error.apiId === 'string' ? error.apiId : undefined;
  if (apiId !== undefined && REJECTIONS[apiId] !== undefined) return REJECTIONS[apiId];
  const nested: unknown[] = error instanceof AggregateError ? error.errors : [];
  for (const each of [...nested, error.cause]) {
    const reason = rejectionOf(each);
    if (reason !== undefined) return reason;
  }
  return undefined;
}
