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
    id: id || `${topic}/${partition}/${offset}`,
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

/** How large a record may be, Kafka does not say here: who asks puts the numbers in its place. */
export const TOO_LARGE = 'it is larger than the broker takes';

const REJECTIONS: Readonly<Record<string, string>> = {
  MESSAGE_TOO_LARGE: TOO_LARGE,
  RECORD_LIST_TOO_LARGE: 'it is larger than a segment of the broker (segment.bytes)',
  INVALID_TOPIC_EXCEPTION: 'the broker does not accept the topic',
  INVALID_RECORD: 'the broker does not accept the record (a compacted topic needs a key)',
  TOPIC_AUTHORIZATION_FAILED: 'this client may not write to the topic',
};

/** Not the message's fault, and over when somebody has done something. */
const HINTS: Readonly<Record<string, string>> = {
  INVALID_TIMESTAMP:
    "its clock and this machine's are further apart than Kafka allows (message.timestamp.after.max.ms, an hour since 4.0): " +
    'set the wrong one, or give the topic message.timestamp.type=LogAppendTime',
};

/** Looks through the client's nested errors for one that no second attempt will change. */
export function rejectionOf(error: unknown): string | undefined {
  for (const each of causesOf(error)) {
    if (each instanceof PartitionError) return each.message;
    const reason = REJECTIONS[apiIdOf(each) ?? ''];
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** The client gives up on a topic that is only just being made. */
export function isUnknownTopic(error: unknown): boolean {
  return causesOf(error).some(({ message }) => message.startsWith('Unknown topic '));
}

/** A broker that has just begun has no numbers for producers yet, without one of which nothing is sent. */
const NO_PRODUCER: ReadonlySet<string | undefined> = new Set([
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
]);

/** A producer that was closed for the sake of another message: it did not begin with this one, or not again. */
const CLOSED = /^(?:Connection pool is closed|Client is closed|Client closed while retrying)/;

/**
 * Whether Kafka cannot have had any of `records`: no attempt came further than to be given no connection, or no number
 * for the producer. Several may lie with several brokers, of which an error tells nothing where they took theirs.
 */
export function isUnsent(error: unknown, records: number): boolean {
  const causes = causesOf(error);
  const ends = causes.filter(
    (each) => each.cause === undefined && !(each instanceof AggregateError),
  );
  const noProducer = (each: Error) => NO_PRODUCER.has(apiIdOf(each));
  const refused = (each: Error) =>
    CLOSED.test(each.message) || ('code' in each && each.code === 'ECONNREFUSED');
  return (
    ends.length > 0 &&
    ends.every((each) => noProducer(each) || refused(each)) &&
    (records === 1 || ends.some(noProducer))
  );
}

/** Why Kafka took nothing, in the words of who knew best: the client's own is that it failed. */
export function reasonOf(error: unknown): string {
  const causes = causesOf(error);
  const hint = causes.map((each) => HINTS[apiIdOf(each) ?? '']).find((each) => each !== undefined);
  const known = causes.find((each) => apiIdOf(each) !== undefined) ?? causes.at(-1);
  return hint ?? known?.message ?? String(error);
}

const apiIdOf = (error: Error): string | undefined =>
  'apiId' in error && typeof error.apiId === 'string' ? error.apiId : undefined;

/** An error, and those in it, the outermost first. */
function causesOf(error: unknown): readonly Error[] {
  if (!(error instanceof Error)) return [];
  const nested: unknown[] = error instanceof AggregateError ? error.errors : [];
  return [error, ...[...nested, error.cause].flatMap(causesOf)];
}
