import type { Message, OutgoingMessage } from '../message.ts';
import { readHeaders } from '../read-headers.ts';
import type { RedisArgument } from './module.ts';

/** An entry as a script answers it; without fields where somebody deleted it. */
export type RawEntry = readonly [id: Buffer, fields: readonly Buffer[] | null];

/** The fields of a message's entry, name after value. */
export function fieldsOf({ body, headers, id, key }: OutgoingMessage): RedisArgument[] {
  const fields: RedisArgument[] = ['id', id];
  if (key !== undefined) fields.push('key', key);
  if (Object.keys(headers).length > 0) fields.push('headers', JSON.stringify(headers));
  fields.push('body', Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  return fields;
}

/** What its fields weigh, without their names. */
export const bytesOf = (message: OutgoingMessage): number =>
  fieldBytes(message).reduce((sum, bytes) => sum + bytes);

/** What the heaviest of its fields weighs. */
export const longestField = (message: OutgoingMessage): number => Math.max(...fieldBytes(message));

const fieldBytes = ({ body, headers, id, key = '' }: OutgoingMessage): readonly number[] => [
  body.byteLength,
  Buffer.byteLength(id),
  Buffer.byteLength(key),
  Buffer.byteLength(JSON.stringify(headers)),
];

/** A message that somebody else added without an `id` is named by its place, at each delivery alike. */
export function messageOf(entryId: string, fields: readonly Buffer[], topic: string): Message {
  const named = new Map<string, Buffer>();
  for (let at = 0; at + 1 < fields.length; at += 2) {
    named.set(fields[at]!.toString(), fields[at + 1]!);
  }
  return {
    id: named.get('id')?.toString() || entryId,
    topic,
    key: named.get('key')?.toString(),
    body: named.get('body') ?? Buffer.alloc(0),
    headers: readHeaders(named.get('headers')?.toString()),
  };
}
