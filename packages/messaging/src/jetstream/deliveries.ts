import { identityOf } from '../died-at.ts';
import type { Message, OutgoingMessage } from '../message.ts';
import type { JetStreamMessage, NatsHeaders } from './module.ts';

/** Ours among the headers; the rest are the message's own. */
const KEY = 'holdfast-key';
const ID = 'holdfast-id';
/** By which JetStream knows what it has already. */
const MSG_ID = 'Nats-Msg-Id';

/** Puts what travels beside the body into `headers`, but for what `knownAs` says. */
export function fillHeaders(
  headers: NatsHeaders,
  { headers: own, id, key }: OutgoingMessage,
): NatsHeaders {
  headers.set(ID, id);
  for (const [name, value] of Object.entries(own)) headers.set(name, value);
  // A key is any text, a header's value is one line.
  if (key !== undefined) headers.set(KEY, encodeURIComponent(key));
  return headers;
}

/**
 * What JetStream is to know a message by: an id is of one topic, and what a stream knows is of all
 * its subjects. By the id alone it would take a dead letter for the message that died; and to send
 * such a one again under another name would put it behind those of its call that were new.
 * A subject has no spaces, so that no two messages are known by the same.
 */
export const knownAs = (subject: string, id: string): string => `${subject} ${id}`;

/** Why its id or a header cannot travel as they are; undefined if they can. */
export function headerProblem({ headers, id }: OutgoingMessage): string | undefined {
  if (!isValue(id) || id === '') return 'its id is not one line of text without spaces around it';
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[!-9;-~]+$/.test(name))
      return `the header "${name}" has a name that NATS does not allow`;
    // Some of them are orders to the server.
    if (/^(?:nats|holdfast)-/i.test(name)) return `the header "${name}" is not yours to set`;
    if (!isValue(value)) return `the header "${name}" is not one line without spaces around it`;
  }
  return undefined;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const isValue = (text: string): boolean => !/[\u0000\r\n]/.test(text) && text.trim() === text;

/** What it counts for in `max_payload`, at most. */
export function payloadBytes(
  { body, headers, id, key = '' }: OutgoingMessage,
  subject: string,
): number {
  // The first and the last line, then each header with a colon, a space and the end of its line.
  let bytes =
    14 + body.byteLength + lineBytes(MSG_ID, knownAs(subject, identityOf({ headers, id })));
  bytes += lineBytes(ID, id);
  for (const [name, value] of Object.entries(headers)) bytes += lineBytes(name, value);
  return bytes + lineBytes(KEY, encodeURIComponent(key));
}

const lineBytes = (name: string, value: string): number =>
  Buffer.byteLength(name) + Buffer.byteLength(value) + 4;

/**
 * A message that somebody else published is named by what JetStream knows it by, and without such
 * an id by its place, at each delivery alike.
 */
export function messageOf(
  { data, headers: given, info }: Pick<JetStreamMessage, 'data' | 'headers' | 'info'>,
  topic: string,
): Message {
  const named: Record<string, string> = {};
  for (const [name, [value]] of given ?? []) named[name] = value ?? '';
  const { [ID]: own, [KEY]: key, [MSG_ID]: msgId, ...headers } = named;
  return {
    id: own || msgId || `${info.stream}/${info.streamSequence}`,
    topic,
    key: key === undefined ? undefined : decoded(key),
    body: data,
    headers,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Somebody else wrote it, as it is.
    return text;
  }
}
