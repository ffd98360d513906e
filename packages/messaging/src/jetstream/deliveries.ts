import type { Message, OutgoingMessage } from '../message.ts';
import type { JetStreamMessage, NatsHeaders } from './module.ts';

/** Ours among the headers; the rest are the message's own. */
const KEY = 'holdfast-key';
/** Only where `Nats-Msg-Id` could not be the id itself. */
const ID = 'holdfast-id';
/** By which JetStream knows what it has already. */
const MSG_ID = 'Nats-Msg-Id';

/** Puts what travels beside the body into `headers`; the id itself goes as `Nats-Msg-Id`. */
export function fillHeaders(
  headers: NatsHeaders,
  { headers: own, key }: OutgoingMessage,
): NatsHeaders {
  for (const [name, value] of Object.entries(own)) headers.set(name, value);
  // A key is any text, a header's value is one line.
  if (key !== undefined) headers.set(KEY, encodeURIComponent(key));
  return headers;
}

/** As `fillHeaders`, where the stream knows the id already from another topic. */
export function fillScopedHeaders(headers: NatsHeaders, message: OutgoingMessage): NatsHeaders {
  headers.set(ID, message.id);
  return fillHeaders(headers, message);
}

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
export function payloadBytes({ body, headers, id, key = '' }: OutgoingMessage): number {
  // The first and the last line, then each header with a colon, a space and the end of its line.
  let bytes = 14 + body.byteLength + lineBytes(MSG_ID, id) + lineBytes(ID, id);
  for (const [name, value] of Object.entries(headers)) bytes += lineBytes(name, value);
  return bytes + lineBytes(KEY, encodeURIComponent(key));
}

const lineBytes = (name: string, value: string): number =>
  Buffer.byteLength(name) + Buffer.byteLength(value) + 4;

/** A message that somebody else published without an id is named by its place, at each delivery alike. */
export function messageOf(
  { data, headers: given, info }: Pick<JetStreamMessage, 'data' | 'headers' | 'info'>,
  topic: string,
): Message {
  const named: Record<string, string> = {};
  for (const [name, [value]] of given ?? []) named[name] = value ?? '';
  const { [ID]: scoped, [KEY]: key, [MSG_ID]: msgId, ...headers } = named;
  return {
    id: scoped ?? msgId ?? `${info.stream}/${info.streamSequence}`,
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
